import { OptionError } from '../../../errors.ts';
import type { Optional } from '../../../handler/define.ts';
import { integer } from '../../../options.ts';
import type { TaskRecord } from '../../../task/record.ts';
import { type Dialect, defineDialect } from '../dialect.ts';
import {
  checkFunctions,
  type DialectOptions,
  oneOf,
  parseDialectOptions,
  type Show,
  type Submitting,
  type ToSubmit,
} from '../options.ts';
import { commandsOf } from './commands.ts';
import { type Settings, surfaceOf } from './surface.ts';

/** What `waylay` is made with. */
export type WaylayOptions = DialectOptions &
  Optional<{
    /** The handler that runs rules of their own, which name no template: its input is the whole rule. Default: none. */
    ruleHandler: string;
    /** The status of a task that waits to run; older clients do not know `pending`. Default `running`. */
    waiting: 'running' | 'pending';
    /** The `user` of a task without a submitter. Default `system`. */
    noUser: string;
    /** The status of a periodic, scheduled or reactive task between two runs. Default `running`. */
    between: 'running' | 'pending';
    /** The `network` of a task, in the form that is asked for. Default: empty. */
    network: (task: TaskRecord, format: 'bn' | 'simplified') => object;
    /** Changes what a specification submits: gets that, and the specification, and gives what is submitted instead. Default: as it is. */
    submit: Submitting<Omit<ToSubmit, 'submittedBy'>>;
    /** Changes what `conf` answers: gets that, and the task, and gives what is answered instead. Default: as it is. */
    conf: Show;
    /** What a parameter of a list, or a key of a batch's query, asks for: one filter is to fit; undefined: as it is. Default: as it is. */
    filter: NonNullable<Settings['asking']>;
    /** Whether all parameters of a list are to fit, or one. Default `all`. */
    match: 'all' | 'any';
    /** Whether a page with its place is answered where it is preferred to the list, or wherever it is accepted. Default `preferred`. */
    pages: 'preferred' | 'accepted';
    /** Whether a status allows a command; true where nothing is to be done changes nothing. Default: start and delete what stands, stop what does not. */
    commands: Settings['commands'];
    /** What deleting a task that is not there is answered with. Default 404. */
    deleteUnknown: 404 | 204;
    /** The most tasks of a batch. Default 10,000. */
    batchTasks: number;
    /** The handlers that a plugin stands for, by `name` or `name:version`, when tasks are filtered by it. Default: none. */
    plugins: (plugin: string) => readonly string[];
    /** Whether `finishedBefore`, `createdAfter` and `createdBefore` take in the time that they name. Default `exclusive`. */
    bounds: 'exclusive' | 'inclusive';
    /** The name of the event that starts a reactive task. Default: its resource, or its template where it has none. */
    event: Settings['event'];
    /** Serves the paths of older clients too: `/api/tasks` and `/api/batch`. Default true. */
    aliases: boolean;
    /** Honours the header `Idempotency-Key` when a task is created. Default true. */
    idempotency: boolean;
    /** What a task outside the caller's scope is answered with. Default 404: it is not there for him. */
    forbidden: 403 | 404;
  }>;

/** Characters that the name of an event may have. */
const MAX_EVENT = 200;
/** Tasks of a batch; what failed is stored anew every so many. */
const BATCH_TASKS = 10_000;

const KNOWN = [
  'ruleHandler',
  'waiting',
  'noUser',
  'between',
  'network',
  'submit',
  'conf',
  'filter',
  'match',
  'pages',
  'commands',
  'deleteUnknown',
  'batchTasks',
  'plugins',
  'bounds',
  'event',
  'aliases',
  'idempotency',
  'forbidden',
] as const;

/**
 * The tasks of Waylay's rules service: create, list, count, read, replace, delete, start and stop, and batches of them. By the
 * OpenAPI document of the rules service, 6.5.0, with what later ones add.
 * @throws {OptionError}
 */
export function waylay(options: WaylayOptions = {}): Dialect {
  const base = parseDialectOptions('waylay', options, KNOWN);
  const { ruleHandler, noUser = 'system', network = () => ({}), plugins = () => [], event = eventOf } = options;
  const { commands = commandsOf, submit = null, conf = null, filter = null, batchTasks = BATCH_TASKS } = options;
  checkFunctions('waylay', { network, plugins, event, commands, submit, conf, filter });
  integer('waylay.batchTasks', batchTasks, 1);
  for (const [name, value] of Object.entries({ ruleHandler: ruleHandler ?? 'none', noUser })) {
    if (typeof value !== 'string' || value === '') throw new OptionError(`waylay.${name}`, 'text', value);
  }
  const settings: Settings = {
    show: base.show,
    submit,
    conf,
    asking: filter,
    commands,
    batchTasks,
    between: oneOf('waylay.between', options.between ?? 'running', ['running', 'pending']),
    match: oneOf('waylay.match', options.match ?? 'all', ['all', 'any']),
    pages: oneOf('waylay.pages', options.pages ?? 'preferred', ['preferred', 'accepted']),
    deleteUnknown: oneOf('waylay.deleteUnknown', options.deleteUnknown ?? 404, [404, 204]),
    ruleHandler: ruleHandler ?? null,
    noUser,
    network,
    plugins,
    event,
    waiting: oneOf('waylay.waiting', options.waiting ?? 'running', ['running', 'pending']),
    bounds: oneOf('waylay.bounds', options.bounds ?? 'exclusive', ['exclusive', 'inclusive']),
    aliases: oneOf('waylay.aliases', options.aliases ?? true, [true, false]),
    idempotency: oneOf('waylay.idempotency', options.idempotency ?? true, [true, false]),
    forbidden: oneOf('waylay.forbidden', options.forbidden ?? 404, [403, 404]),
  };
  return defineDialect({ name: 'waylay', ...base, surface: (context) => surfaceOf(context, settings) });
}

/** Names of events are up to 200 letters, digits and a few signs; other characters become `-`, and what has no letter is no name. */
function eventOf({ resource, template }: { readonly resource: string | null; readonly template: string }): string {
  const name = (resource ?? '').replace(/[^A-Za-z0-9._-]/g, '-').replace(/^[._-]+/, '');
  return name === '' ? template : name.slice(0, MAX_EVENT);
}
