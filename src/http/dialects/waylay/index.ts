import { OptionError } from '../../../errors.ts';
import type { Optional } from '../../../handler/define.ts';
import type { TaskRecord } from '../../../task/record.ts';
import { type Dialect, defineDialect } from '../dialect.ts';
import { type DialectOptions, oneOf, parseDialectOptions } from '../options.ts';
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
    /** The `network` of a task. Default: empty. */
    network: (task: TaskRecord) => object;
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

const KNOWN = [
  'ruleHandler',
  'waiting',
  'noUser',
  'network',
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
  for (const [name, value] of Object.entries({ network, plugins, event })) {
    if (typeof value !== 'function') throw new OptionError(`waylay.${name}`, 'a function', value);
  }
  for (const [name, value] of Object.entries({ ruleHandler: ruleHandler ?? 'none', noUser })) {
    if (typeof value !== 'string' || value === '') throw new OptionError(`waylay.${name}`, 'text', value);
  }
  const settings: Settings = {
    show: base.show,
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
