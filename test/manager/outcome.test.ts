import { defineTask } from 'tasklane';
import { describe, expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
const hostile = (): object =>
  new Proxy(
    {},
    {
      get() {
        throw new Error('get');
      },
      getPrototypeOf() {
        throw new Error('getPrototypeOf');
      },
    },
  );

/** What a handler may throw, and what is stored of it. */
const thrown: [what: string, value: unknown, stored: object][] = [
  [
    'an error',
    new TypeError('no'),
    { name: 'TypeError', message: 'no', code: 'handler_failed', stack: expect.any(String) },
  ],
  ['an error with a code', Object.assign(new Error('no'), { code: 'E_NO' }), { name: 'Error', code: 'E_NO' }],
  ['an error with a numeric code', Object.assign(new Error('no'), { code: 5 }), { code: 'handler_failed' }],
  ['an error without a message', new Error(), { name: 'Error', code: 'handler_failed' }],
  ['text', 'just text', { name: 'NonError', message: 'just text', code: 'handler_failed' }],
  ['a number', 5, { name: 'NonError', message: '5' }],
  ['undefined', undefined, { name: 'NonError', message: 'undefined' }],
  ['null', null, { name: 'NonError', message: 'null' }],
  ['a BigInt', 5n, { name: 'NonError', message: '5' }],
  ['a symbol', Symbol('s'), { name: 'NonError', message: 'Symbol(s)' }],
  ['an object', { a: 1 }, { name: 'NonError', message: '{"a":1}' }],
  ['a frozen error', Object.freeze(new Error('frozen')), { name: 'Error', message: 'frozen' }],
  ['a frozen object', Object.freeze({ message: 'frozen' }), { message: 'frozen' }],
  ['an object without prototype', Object.create(null), { name: 'NonError', message: '{}' }],
  [
    'a cycle',
    Object.assign(
      {},
      {
        get self() {
          return this;
        },
      },
    ),
    {},
  ],
  ['a function', () => {}, { name: 'NonError' }],
  [
    'getters that throw',
    {
      get message() {
        throw new Error('get');
      },
      get name() {
        throw new Error('get');
      },
    },
    { code: 'handler_failed' },
  ],
  ['a proxy that throws at everything', hostile(), { code: 'handler_failed' }],
  ['a revoked proxy', revoked(), { code: 'handler_failed' }],
  ['half a character', new Error('\ud800'), { name: 'Error' }],
  ['a very long message', new Error('x'.repeat(100_000)), { name: 'Error' }],
];

/** What a handler may return that is no result. */
const returned: [what: string, value: unknown, code: string][] = [
  ['a BigInt', 5n, 'result_invalid'],
  ['a function', () => {}, 'result_invalid'],
  ['a Map', new Map(), 'result_invalid'],
  ['NaN', Number.NaN, 'result_invalid'],
  ['a symbol', Symbol('s'), 'result_invalid'],
  ['undefined in a list', [undefined], 'result_invalid'],
  [
    'a cycle',
    (() => {
      const value: unknown[] = [];
      value.push(value);
      return value;
    })(),
    'result_invalid',
  ],
  [
    'a getter that throws',
    {
      get a() {
        throw new Error('get');
      },
    },
    'result_invalid',
  ],
  [
    'a `then` that throws',
    {
      // biome-ignore lint/suspicious/noThenProperty: the harm that is tested
      get then() {
        throw new Error('get');
      },
    },
    'result_invalid',
  ],
  ['a revoked proxy', revoked(), 'result_invalid'],
  ['more than maxResultBytes', 'x'.repeat(99), 'payload_too_large'],
];

onEachStorage('outcome', (world) => {
  describe('a handler that throws', () => {
    test.each(thrown)('%s', async (_what, value, stored) => {
      const handlers = [
        defineTask({
          name: 'sync',
          run: (): void => {
            throw value;
          },
        }),
        defineTask({ name: 'async', run: (): Promise<void> => Promise.reject(value) }),
      ] as const;
      const manager = await world.start({ handlers });
      for (const { name } of handlers) {
        const task = await manager.submit(name);
        expect(await errorOf(task.result())).toMatchObject({ code: 'task_failed' });
        const record = await manager.get(task.id);
        expect(record).toMatchObject({ status: 'failed', error: stored });
        expect(record?.error?.message.length).toBeLessThanOrEqual(10_001);
        expect(record?.error?.name).toEqual(expect.any(String));
      }
    });

    test.each(thrown)('and is asked again: %s', async (_what, value) => {
      const work = controlled('work', { retry: { maxAttempts: 2, backoff: { type: 'fixed', delay: 10, jitter: 0 } } });
      const manager = await world.start({ handlers: [work] });
      const task = await manager.submit('work');
      (await work.next()).fail(value);
      await world.clock.advance(20);
      (await work.next()).finish('done');
      expect(await task.result()).toBe('done');
    });
  });

  describe('a handler that returns what is no result', () => {
    test.each(returned)('%s', async (_what, value, code) => {
      const handlers = [
        defineTask({ name: 'sync', retry: { maxAttempts: 3 }, run: () => value }),
        defineTask({ name: 'async', retry: { maxAttempts: 3 }, run: async () => ({ value }) }),
      ] as const;
      const manager = await world.start({ handlers, maxResultBytes: 100 });
      for (const { name } of handlers) {
        const task = await manager.submit(name);
        expect(await errorOf(task.result())).toMatchObject({ cause: { code } });
        expect(await manager.get(task.id)).toMatchObject({ status: 'failed', attempt: 1, result: null });
      }
    });

    test('too large: both sizes are in the message', async () => {
      const work = defineTask({ name: 'work', run: () => 'x'.repeat(99) });
      const manager = await world.start({ handlers: [work], maxResultBytes: 100 });
      const task = await manager.submit(work);
      expect(await errorOf(task.result())).toMatchObject({
        cause: { name: 'PayloadTooLargeError', message: expect.stringMatching(/101.*100/) },
      });
    });
  });

  test('the process of a handler that does harm runs the next task', async () => {
    const work = defineTask({
      name: 'work',
      run: (input: number): unknown => {
        if (input === 0) throw hostile();
        return input === 1 ? revoked() : input;
      },
    });
    const manager = await world.start({ handlers: [work], concurrency: 1 });
    const tasks = await manager.submitMany([0, 1, 2].map((input) => ({ handler: work, input })));
    await manager.onIdle();
    const statuses = await Promise.all(tasks.map(async ({ id }) => (await manager.get(id))?.status));
    expect(statuses).toEqual(['failed', 'failed', 'succeeded']);
  });
});
