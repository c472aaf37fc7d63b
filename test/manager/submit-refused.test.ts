import {
  defineTask,
  InputInvalidError,
  ManagerClosedError,
  OptionError,
  PayloadTooLargeError,
  QueueFullError,
  type SubmitOptions,
  TasklaneError,
  UnknownHandlerError,
} from 'tasklane';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { controlled } from '../support/controlled.ts';
import { errorOf } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('submit refuses', (world) => {
  const typed = defineTask({
    name: 'typed',
    input: z.object({ folder: z.string(), depth: z.number() }),
    run: () => {},
  });
  const open = () => world.manager({ handlers: [controlled('work'), typed], maxInputBytes: 100 });

  test('an unknown handler: UnknownHandlerError that names it and the known ones', async () => {
    const manager = open();
    const error = await errorOf(manager.submit('wrok' as 'typed', { folder: 'a', depth: 1 }));
    expect(error).toBeInstanceOf(UnknownHandlerError);
    expect(error).toBeInstanceOf(TasklaneError);
    expect(error).toMatchObject({ name: 'UnknownHandlerError', code: 'handler_unknown' });
    expect((error as Error).message).toMatch(/"wrok".*work, typed/);
    expect(await manager.count()).toBe(0);
  });

  test('a definition that was not registered: UnknownHandlerError', async () => {
    const error = await errorOf(open().submit(controlled('stranger')));
    expect(error).toBeInstanceOf(UnknownHandlerError);
  });

  test.each([
    ['null', null],
    ['undefined', undefined],
    ['a number', 5],
  ])('%s as handler: OptionError', async (_what, handler) => {
    expect(await errorOf(open().submit(handler as unknown as 'typed', {} as never))).toBeInstanceOf(OptionError);
  });

  test('what the schema refuses: InputInvalidError with each issue and its path', async () => {
    const manager = open();
    const error = await errorOf(manager.submit('typed', { folder: 5, depth: 'deep' } as never));
    expect(error).toBeInstanceOf(InputInvalidError);
    expect(error).toMatchObject({
      code: 'input_invalid',
      issues: [
        { path: 'folder', message: expect.stringContaining('string') },
        { path: 'depth', message: expect.stringContaining('number') },
      ],
    });
    expect(await manager.count()).toBe(0);
  });

  test('a schema that throws: InputInvalidError', async () => {
    const broken = defineTask({
      name: 'broken',
      input: z.string().refine(() => {
        throw new Error('my own mistake');
      }),
      run: () => {},
    });
    const manager = world.manager({ handlers: [broken] });
    const error = await errorOf(manager.submit(broken, 'a'));
    expect(error).toMatchObject({ code: 'input_invalid', issues: [{ message: 'my own mistake' }] });
  });

  test('a schema that rejects: InputInvalidError', async () => {
    const validate = () => Promise.reject(new Error('my own mistake'));
    const broken = defineTask({
      name: 'broken',
      input: { '~standard': { version: 1, vendor: 'test', validate } },
      run: () => {},
    });
    const manager = world.manager({ handlers: [broken] });
    expect(await errorOf(manager.submit(broken, 'a'))).toMatchObject({
      code: 'input_invalid',
      issues: [{ message: 'my own mistake' }],
    });
  });

  const cycle: { list: unknown[] } = { list: [] };
  cycle.list.push(cycle);
  test.each<[what: string, input: unknown, path: RegExp]>([
    ['a BigInt', { a: [1, 2n] }, /^a\.1$/],
    ['a function', { a: { b() {} } }, /^a\.b$/],
    ['a symbol', [Symbol('s')], /^0$/],
    ['undefined in an array', { list: [1, undefined] }, /^list\.1$/],
    ['NaN', { a: Number.NaN }, /^a$/],
    ['Infinity', Number.POSITIVE_INFINITY, /^$/],
    ['a Map', { a: new Map() }, /^a$/],
    ['a Set', [new Set()], /^0$/],
    ['a cycle', cycle, /^list\.0$/],
  ])('%s as input: InputInvalidError with the path', async (_what, input, path) => {
    const manager = open();
    const error = await errorOf(manager.submit('work', input));
    expect(error).toBeInstanceOf(InputInvalidError);
    expect((error as InputInvalidError).issues).toHaveLength(1);
    expect((error as InputInvalidError).issues[0]?.path).toMatch(path);
    expect(await manager.count()).toBe(0);
  });

  test('an input that is too large: PayloadTooLargeError with both sizes, of JSON text in bytes', async () => {
    const manager = open();
    expect(await manager.submit('work', 'x'.repeat(98))).toMatchObject({ created: true });
    const error = await errorOf(manager.submit('work', 'x'.repeat(99)));
    expect(error).toBeInstanceOf(PayloadTooLargeError);
    expect(error).toMatchObject({ code: 'payload_too_large', bytes: 101, maxBytes: 100 });
    expect((error as Error).message).toMatch(/101.*100/);
    expect(await errorOf(manager.submit('work', 'é'.repeat(50)))).toMatchObject({ bytes: 102 });
    expect(await manager.count()).toBe(1);
  });

  test('the default limit of an input is 1 MiB', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    await manager.submit('work', 'x'.repeat(1_048_574));
    const error = await errorOf(manager.submit('work', 'x'.repeat(1_048_575)));
    expect(error).toMatchObject({ bytes: 1_048_577, maxBytes: 1_048_576 });
  });

  const cases: [option: string, options: unknown][] = [
    ['priority', { priority: Number.NaN }],
    ['priority', { priority: 1.5 }],
    ['priority', { priority: 1_000_001 }],
    ['priority', { priority: -1_000_001 }],
    ['priority', { priority: '5' }],
    ['priority', { priority: null }],
    ['delay', { delay: -1 }],
    ['delay', { delay: Number.NaN }],
    ['delay', { delay: Number.POSITIVE_INFINITY }],
    ['delay', { delay: '30 sec' }],
    ['delay', { delay: '30' }],
    ['delay', { delay: '-5s' }],
    ['delay', { delay: '101 years' }],
    ['delay', { delay: '5300w' }],
    ['delay', { delay: null }],
    ['runAt', { runAt: new Date(Number.NaN) }],
    ['runAt', { runAt: -1 }],
    ['runAt', { runAt: Number.NaN }],
    ['runAt', { runAt: 8_640_000_000_000_000 }],
    ['runAt', { runAt: '2030-01-01' }],
    ['runAt', { runAt: null }],
    ['hold', { hold: 'yes' }],
    ['hold', { hold: null }],
    ['delay', { delay: '1s', runAt: 5 }],
    ['delay', { delay: 0, hold: true }],
    ['delay', { runAt: 5, hold: true }],
    ['startBy', { startBy: 'soon' }],
    ['startBy', { startBy: -1 }],
    ['tags', { tags: [] }],
    ['tags', { tags: 'a' }],
    ['tags', { tags: null }],
    ['tags', { tags: { '': 1 } }],
    ['tags', { tags: { ['k'.repeat(201)]: 1 } }],
    ['tags', { tags: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, 1])) }],
    ['tags.a', { tags: { a: null } }],
    ['tags.a', { tags: { a: {} } }],
    ['tags.a', { tags: { a: Number.NaN } }],
    ['tags.a', { tags: { a: 'x'.repeat(201) } }],
    ['tags.a', { tags: { a: '\ud800' } }],
    ['idempotencyKey', { idempotencyKey: '' }],
    ['idempotencyKey', { idempotencyKey: 5 }],
    ['idempotencyKey', { idempotencyKey: 'k'.repeat(1_001) }],
    ['unique', { unique: 'docs' }],
    ['unique', { unique: null }],
    ['unique.key', { unique: {} }],
    ['unique.key', { unique: { key: '' } }],
    ['unique.scope', { unique: { key: 'a', scope: 'forever' } }],
    ['unique.scope', { unique: { key: 'a', scope: null } }],
    ['unique.scope.window', { unique: { key: 'a', scope: {} } }],
    ['unique.scope.window', { unique: { key: 'a', scope: { window: 0 } } }],
    ['unique.onConflict', { unique: { key: 'a', onConflict: 'ignore' } }],
    ['submittedBy', { submittedBy: '' }],
    ['submittedBy', { submittedBy: 5 }],
    ['entityId', { entityId: 'e'.repeat(1_001) }],
    ['parentId', { parentId: {} }],
    ['description', { description: 'd'.repeat(10_001) }],
    ['description', { description: 5 }],
    ['options', { prioriti: 5 }],
    ['options', null],
    ['options', 'now'],
  ];
  test.each(cases)('a bad %s: OptionError that names it (%j)', async (option, options) => {
    const manager = open();
    const error = await errorOf(manager.submit('work', 1, options as SubmitOptions));
    expect(error).toBeInstanceOf(OptionError);
    expect(error).toMatchObject({ code: 'option_invalid', option });
    expect((error as Error).message).toMatch(new RegExp(`^\`${option}\` must be .+, but (is|has) .+\\.$`));
    expect(await manager.count()).toBe(0);
  });

  test('the message says what came and what is allowed', async () => {
    const error = await errorOf(open().submit('work', 1, { delay: '30 sec' as never }));
    expect((error as Error).message).toBe(
      "`delay` must be a duration in ms or such as '30s', '5m' or '1h', from 0 ms to 100 years, but is \"30 sec\".",
    );
  });

  test('metadata that JSON cannot hold, or too much of it', async () => {
    const manager = open();
    expect(await errorOf(manager.submit('work', 1, { metadata: { a: 1n } }))).toMatchObject({
      code: 'input_invalid',
      issues: [{ path: 'a' }],
    });
    expect(await errorOf(manager.submit('work', 1, { metadata: 'x'.repeat(99) }))).toMatchObject({
      code: 'payload_too_large',
      bytes: 101,
    });
    expect(await manager.count()).toBe(0);
  });

  test('more than maxQueued unfinished tasks: QueueFullError, and room again when one ends', async () => {
    const manager = world.manager({ handlers: [controlled('work')], maxQueued: 2 });
    const first = await manager.submit('work');
    await manager.submit('work', 1, { hold: true });
    const error = await errorOf(manager.submit('work'));
    expect(error).toBeInstanceOf(QueueFullError);
    expect(error).toMatchObject({ code: 'queue_full', message: expect.stringContaining('2') });
    expect(await manager.count()).toBe(2);
    await first.cancel();
    expect(await manager.submit('work')).toMatchObject({ created: true });
  });

  describe('a manager that is closed', () => {
    test('after close: ManagerClosedError', async () => {
      const manager = open();
      await manager.start();
      await manager.close();
      const error = await errorOf(manager.submit('work'));
      expect(error).toBeInstanceOf(ManagerClosedError);
      expect(error).toMatchObject({ code: 'manager_closed' });
    });

    test('while it closes: ManagerClosedError', async () => {
      const work = controlled('work');
      const manager = world.manager({ handlers: [work] });
      await manager.start();
      await manager.submit('work');
      const run = await work.next();
      const closing = manager.close();
      expect(await errorOf(manager.submit('work'))).toBeInstanceOf(ManagerClosedError);
      expect(await errorOf(manager.submitMany([{ handler: 'work' }]))).toBeInstanceOf(ManagerClosedError);
      run.finish();
      await closing;
    });

    test('in the turn of a close: stored, or refused', async () => {
      const manager = open();
      await manager.start();
      const submitted = manager.submit('work', 'last');
      await manager.close();
      const { id } = await submitted;
      expect(await world.manager({}).get(id)).toMatchObject({ status: 'queued', input: 'last' });
    });

    test('the first submit of all, in the turn of a close: stored, or refused', async () => {
      const manager = open();
      const submitted = manager.submit('work', 'first').catch((error: unknown) => error);
      await manager.close();
      const outcome = await submitted;
      const stored = await world.manager({}).count();
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(ManagerClosedError);
      expect(stored).toBe(outcome instanceof Error ? 0 : 1);
    });
  });
});
