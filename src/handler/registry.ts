import { checkBag } from '../bag.ts';
import { OptionError, UnknownHandlerError } from '../errors.ts';
import { parseProgressOf } from '../flow/shares.ts';
import { integer, parseRetention, type RetentionSettings, type Settings } from '../options.ts';
import { parseDuration } from '../time/duration.ts';
import { type HandlerCoalescing, parseHandlerCoalescing } from './coalescing.ts';
import type { AnyTask } from './define.ts';
import { parseEvents } from './event-name.ts';
import { type BackoffMs, parseBackoff, parseMaxAttempts } from './retry.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const PRIORITY_LIMIT = 1_000_000;

/** What a definition is made of; {@link parseDefinition} checks each. */
const KEYS = {
  name: null,
  input: null,
  description: null,
  concurrency: null,
  priority: null,
  timeout: null,
  retry: null,
  maxLost: null,
  cancelGrace: null,
  retention: null,
  deprecated: null,
  retryable: null,
  authorize: null,
  debounce: null,
  throttle: null,
  progress: null,
  on: null,
  fromEvent: null,
  run: null,
} as const satisfies Record<keyof AnyTask, null>;

/** A definition, checked, with its defaults. */
export interface Handler {
  readonly name: string;
  /** Replaced only by tests that let attempts fail. */
  definition: AnyTask;
  /** What was registered. */
  readonly registered: AnyTask;
  /** Of this process; changed by `setConcurrency`. Infinity: the manager's alone. */
  concurrency: number;
  readonly priority: number;
  /** Of one attempt, in ms; Infinity: none. */
  readonly timeoutMs: number;
  readonly maxAttempts: number;
  readonly backoff: BackoffMs;
  readonly maxLost: number;
  readonly cancelGraceMs: number;
  /** Null: the manager's. */
  readonly retention: RetentionSettings | null;
  /** Null: each submit is a task of its own. */
  readonly coalescing: HandlerCoalescing | null;
  /** The progress of its tasks is that of their children. */
  readonly showsChildren: boolean;
  /** The events that start it. */
  readonly on: readonly string[];
}

/** @throws {OptionError} */
export function parsePriority(option: string, priority: unknown): number {
  return integer(option, priority, -PRIORITY_LIMIT, PRIORITY_LIMIT);
}

/** What a definition leaves to the manager. */
type Defaults = Pick<Settings, 'maxLost' | 'cancelGraceMs' | 'retention'>;

/** @throws {OptionError} that names what is out of its bounds, or no key of a definition */
export function checkDefinition(definition: AnyTask): void {
  checkBag('definition', definition, KEYS);
  const retention: RetentionSettings = { ageMs: { succeeded: 0, failed: 0, cancelled: 0 }, count: 0 };
  parseDefinition(definition, { maxLost: 0, cancelGraceMs: 0, retention });
}

function parseDefinition(definition: AnyTask, defaults: Defaults): Handler {
  if (definition === null || typeof definition !== 'object')
    throw new OptionError('definition', 'an object', definition);
  const { name, run, input, concurrency, timeout, retry, maxLost, cancelGrace, retention } = definition;
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new OptionError('name', 'letters, digits, and . _ - after the first, 1 to 100 characters', name);
  }
  for (const key of ['run', 'retryable', 'authorize', 'fromEvent'] as const) {
    const value = definition[key];
    if (value !== undefined && typeof value !== 'function') throw new OptionError(key, 'a function', value);
  }
  const { description, deprecated } = definition;
  if (description !== undefined && typeof description !== 'string') {
    throw new OptionError('description', 'text', description);
  }
  if (deprecated !== undefined && typeof deprecated !== 'boolean' && typeof deprecated !== 'string') {
    throw new OptionError('deprecated', 'true, false or text', deprecated);
  }
  if (input !== undefined && typeof input?.['~standard']?.validate !== 'function') {
    throw new OptionError('input', 'a Standard Schema', input);
  }
  checkBag('retry', retry, { maxAttempts: null, backoff: null });
  return {
    name,
    definition,
    registered: definition,
    concurrency: concurrency === undefined || run === undefined ? Infinity : integer('concurrency', concurrency, 1),
    priority: parsePriority('priority', definition.priority ?? 0),
    timeoutMs: timeout === undefined ? Infinity : parseDuration('timeout', timeout, 1),
    maxAttempts: parseMaxAttempts(retry?.maxAttempts),
    backoff: parseBackoff(retry?.backoff),
    maxLost: maxLost === undefined ? defaults.maxLost : integer('maxLost', maxLost, 0),
    cancelGraceMs: cancelGrace === undefined ? defaults.cancelGraceMs : parseDuration('cancelGrace', cancelGrace),
    retention: retention === undefined ? null : parseRetention('retention', retention, defaults.retention),
    showsChildren: parseProgressOf(definition.progress),
    on: parseEvents(definition.on),
    coalescing: parseHandlerCoalescing(definition.debounce, definition.throttle),
  };
}

/** The handlers of a manager, by name. */
export class Registry {
  readonly #handlers = new Map<string, Handler>();
  readonly #bound = new Map<string, Handler[]>();
  readonly #defaults: Defaults;

  constructor(defaults: Defaults) {
    this.#defaults = defaults;
  }

  /**
   * Adds definitions, all or none. The same definition again changes nothing.
   * @throws {OptionError} also when another definition has the name
   */
  add(definitions: readonly AnyTask[]): void {
    const added = definitions.map((definition) => parseDefinition(definition, this.#defaults));
    const names = new Map(this.#handlers);
    for (const handler of added) {
      const earlier = names.get(handler.name);
      if (earlier !== undefined && earlier.registered !== handler.registered) {
        throw new OptionError('name', 'a name that no other handler has', handler.name);
      }
      names.set(handler.name, earlier ?? handler);
    }
    for (const [name, handler] of names) this.#set(name, handler);
  }

  #set(name: string, handler: Handler): void {
    if (this.#handlers.has(name)) return;
    this.#handlers.set(name, handler);
    for (const event of handler.on) this.#bound.set(event, [...this.boundTo(event), handler]);
  }

  /** Those that an event starts, in the order they were registered. */
  boundTo(event: string): readonly Handler[] {
    return this.#bound.get(event) ?? [];
  }

  /** @throws {UnknownHandlerError} */
  get(name: string): Handler {
    const handler = this.#handlers.get(name);
    if (handler === undefined) throw new UnknownHandlerError(name, [...this.#handlers.keys()]);
    return handler;
  }

  find(name: string): Handler | undefined {
    return this.#handlers.get(name);
  }

  /** Of a definition or a name; a definition that was not registered is an error, like an unknown name. */
  resolve(handler: AnyTask | string): Handler {
    if (typeof handler === 'string') return this.get(handler);
    if (handler === null || typeof handler !== 'object')
      throw new OptionError('handler', 'a definition or a name', handler);
    return this.get(handler.name);
  }

  all(): readonly Handler[] {
    return [...this.#handlers.values()];
  }

  /** Those that this process can run. */
  runnable(): readonly Handler[] {
    return this.all().filter(({ definition }) => definition.run !== undefined);
  }
}
