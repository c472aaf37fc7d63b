import { defineTask, MemoryStorage, OptionError, TaskManager, type TaskManagerOptions } from 'tasklane';
import { describe, expect, test } from 'vitest';
import { parseOptions } from '../src/options.ts';

const make = (options: object) => () => new TaskManager(options as TaskManagerOptions);

describe('the options of a manager', () => {
  test('have the defaults of the contract', () => {
    const DAY = 86_400_000;
    expect(parseOptions()).toEqual({
      storage: expect.any(MemoryStorage),
      clock: expect.any(Object),
      inline: false,
      concurrency: 10,
      leaseMs: 30_000,
      sweepMs: 5_000,
      cancelGraceMs: 10_000,
      maxLost: 3,
      maxSnoozes: 1_000,
      maxLeaks: null,
      progressMs: 100,
      logLimit: { lines: 1_000, bytes: 65_536 },
      maxInputBytes: 1_048_576,
      maxResultBytes: 1_048_576,
      maxQueued: Number.POSITIVE_INFINITY,
      retention: { ageMs: { succeeded: 90 * DAY, failed: 90 * DAY, cancelled: 90 * DAY }, count: 1_000_000 },
      idempotencyMs: DAY,
      idPrefix: 'task_',
      schedules: null,
      onOrphan: 'report',
    });
  });

  test('undefined counts as left out', () => {
    expect(
      () =>
        new TaskManager({
          concurrency: undefined,
          lease: undefined,
          retention: undefined,
          storage: undefined,
          logLimit: { lines: undefined },
        }),
    ).not.toThrow();
  });

  test('take what is at the ends of their bounds', () => {
    const options = {
      concurrency: 1,
      lease: '1s',
      maxLost: 0,
      maxSnoozes: 0,
      maxLeaks: 1,
      cancelGrace: 0,
      maxQueued: 1,
      maxInputBytes: 1,
      logLimit: { lines: 0, bytes: 0 },
      idPrefix: '',
      retention: { age: false, count: 0, failed: '1ms' },
    };
    expect(make(options)).not.toThrow();
    expect(make({ retention: false, maxQueued: Number.POSITIVE_INFINITY, idPrefix: 'a'.repeat(40) })).not.toThrow();
  });

  const cases: [option: string, options: object][] = [
    ['concurrency', { concurrency: 0 }],
    ['concurrency', { concurrency: 1.5 }],
    ['concurrency', { concurrency: Number.NaN }],
    ['concurrency', { concurrency: Number.POSITIVE_INFINITY }],
    ['concurrency', { concurrency: -1 }],
    ['concurrency', { concurrency: '5' }],
    ['lease', { lease: 999 }],
    ['lease', { lease: '999ms' }],
    ['lease', { lease: 'long' }],
    ['sweep', { sweep: 0 }],
    ['sweep', { sweep: Number.NaN }],
    ['cancelGrace', { cancelGrace: -1 }],
    ['cancelGrace', { cancelGrace: Number.POSITIVE_INFINITY }],
    ['maxLost', { maxLost: -1 }],
    ['maxLost', { maxLost: 0.5 }],
    ['maxSnoozes', { maxSnoozes: -1 }],
    ['maxLeaks', { maxLeaks: 0 }],
    ['progressInterval', { progressInterval: 0 }],
    ['progressInterval', { progressInterval: '0s' }],
    ['logLimit.lines', { logLimit: { lines: -1 } }],
    ['logLimit.bytes', { logLimit: { bytes: 1.5 } }],
    ['maxInputBytes', { maxInputBytes: 0 }],
    ['maxResultBytes', { maxResultBytes: Number.NaN }],
    ['maxQueued', { maxQueued: 0 }],
    ['maxQueued', { maxQueued: 1.5 }],
    ['retention', { retention: true }],
    ['retention', { retention: '90d' }],
    ['retention', { retention: { forever: true } }],
    ['retention.age', { retention: { age: '90 days' } }],
    ['retention.succeeded', { retention: { succeeded: -1 } }],
    ['retention.count', { retention: { count: 1.5 } }],
    ['idempotencyTtl', { idempotencyTtl: 0 }],
    ['idPrefix', { idPrefix: 'task-' }],
    ['idPrefix', { idPrefix: 'a'.repeat(41) }],
    ['idPrefix', { idPrefix: 5 }],
    ['logLimit', { logLimit: { line: 5 } }],
    ['logLimit', { logLimit: 5 }],
    ['logLimit', { logLimit: null }],
    ['options', { concurency: 5 }],
    ['options', { timeout: '5s' }],
  ];
  test.each(cases)('a bad %s: OptionError that names it (%j)', (option, options) => {
    expect(make(options)).toThrow(OptionError);
    expect(make(options)).toThrow(new RegExp(`^\`${option}\` must be .+, but (is|has) .+\\.$`));
  });

  test.each([
    [{ concurency: 5 }, 'concurrency'],
    [{ timezone: 'UTC' }, null],
    [{ Lease: '30s' }, 'lease'],
    [{ maxqueue: 5 }, 'maxQueued'],
    [{ handler: [] }, 'handlers'],
    [{ retries: 3 }, null],
  ])('a key that nobody knows: what there is, and what was meant (%j)', (options, meant) => {
    const [key = ''] = Object.keys(options);
    const hint = meant === null ? '' : ` \\(${meant}\\?\\)`;
    expect(make(options)).toThrow(new RegExp(`made of storage, handlers, .+, but has "${key}"${hint}\\.$`));
  });

  test.each([[null], ['memory'], [5]])('%j instead of options: OptionError', (options) => {
    expect(make(options as unknown as object)).toThrow(OptionError);
  });

  test.each([
    [{ storage: {} }],
    [{ storage: 'tasks.db' }],
    [{ storage: null }],
    [{ handlers: 'work' }],
    [{ handlers: {} }],
    [{ clock: {} }],
    [{ inline: 'yes' }],
  ])('%j: OptionError', (options) => {
    expect(make(options)).toThrow(OptionError);
  });
});

describe('a definition', () => {
  const define = (definition: object) => () => defineTask(definition as { name: string });

  test('is given back as it is', () => {
    const definition = { name: 'work', run: () => 1 };
    expect(defineTask(definition)).toBe(definition);
  });

  test.each(['a', 'A9', 'mail.send-v2_x', '0', 'x'.repeat(100)])('may be named %j', (name) => {
    expect(define({ name })).not.toThrow();
  });

  test.each([
    [''],
    ['.a'],
    ['-a'],
    ['_a'],
    ['a b'],
    ['a/b'],
    ['é'],
    ['x'.repeat(101)],
    [5],
    [null],
    [undefined],
    ['a\n'],
  ])('may not be named %j', (name) => {
    expect(define({ name })).toThrow(OptionError);
  });

  const cases: [option: string, definition: object][] = [
    ['run', { run: 'now' }],
    ['retryable', { retryable: true }],
    ['authorize', { authorize: {} }],
    ['input', { input: {} }],
    ['input', { input: { type: 'object' } }],
    ['input', { input: null }],
    ['concurrency', { run() {}, concurrency: 0 }],
    ['concurrency', { run() {}, concurrency: 1.5 }],
    ['priority', { priority: 1_000_001 }],
    ['priority', { priority: Number.NaN }],
    ['timeout', { timeout: 0 }],
    ['timeout', { timeout: '10 minutes' }],
    ['retry', { retry: 3 }],
    ['retry', { retry: null }],
    ['retry', { retry: { max: 3 } }],
    ['retry.backoff', { retry: { backoff: { type: 'fixed', ms: 5 } } }],
    ['description', { description: 5 }],
    ['deprecated', { deprecated: 1 }],
    ['definition', { maxAttempts: 3 }],
    ['definition', { handler: () => {} }],
    ['retry.maxAttempts', { retry: { maxAttempts: 0 } }],
    ['retry.maxAttempts', { retry: { maxAttempts: Number.POSITIVE_INFINITY } }],
    ['retry.backoff', { retry: { backoff: 'exponential' } }],
    ['maxLost', { maxLost: -1 }],
    ['cancelGrace', { cancelGrace: 'never' }],
    ['retention', { retention: 5 }],
    ['retention.failed', { retention: { failed: 'x' } }],
  ];
  test.each(cases)('with a bad %s: OptionError that names it', (option, definition) => {
    expect(define({ name: 'work', ...definition })).toThrow(OptionError);
    expect(define({ name: 'work', ...definition })).toThrow(`\`${option}\` must be`);
  });

  test.each([[null], [undefined], ['work']])('%j is none', (definition) => {
    expect(define(definition as unknown as object)).toThrow(OptionError);
  });
});

describe('register', () => {
  test('refuses another definition of the same name, and then adds none', () => {
    const manager = new TaskManager({ handlers: [defineTask({ name: 'work' })] });
    const [other, again] = [defineTask({ name: 'other' }), defineTask({ name: 'work' })];
    expect(() => manager.register(other, again)).toThrow(OptionError);
    expect(manager.handlers().map(({ name }) => name)).toEqual(['work']);
    expect(() => new TaskManager({ handlers: [again, defineTask({ name: 'work' })] })).toThrow(/`name`.*"work"/);
  });

  test('takes the same definition again', () => {
    const work = defineTask({ name: 'work' });
    const manager = new TaskManager({ handlers: [work, work] });
    manager.register(work);
    manager.register();
    expect(manager.handlers()).toEqual([work]);
  });

  test('refuses what is no definition', () => {
    const manager = new TaskManager();
    for (const bad of [null, 'work', { name: '' }, {}])
      expect(() => manager.register(bad as never)).toThrow(OptionError);
  });
});
