import { type AnyTask, defineTask } from 'tasklane';
import type { Redact } from 'tasklane/http';
import * as v from 'valibot';
import { afterEach, describe, expect, test } from 'vitest';
import { ONCE, PERIODIC, WaylayWorld } from './waylay-world.ts';

let waylay: WaylayWorld;
afterEach(() => waylay.close());

/** Masks what is called password at any depth, and leaves `internal` out. */
const masked = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(masked);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([key]) => key !== 'internal');
  return Object.fromEntries(entries.map(([key, one]) => [key, key === 'password' ? '***' : masked(one)]));
};
const redact: Redact = (value, part) => (part === 'input' ? masked(value) : value);

const variables = { folder: 'docs', password: 'p', internal: 7, hosts: [{ name: 'a', password: 'q' }] };
const shown = { folder: 'docs', password: '***', hosts: [{ name: 'a', password: '***' }] };

const A = { name: 'a', password: '***' };
const B = { name: 'b', password: '***' };

/** What is stored of it, whichever it is. */
async function stored(id: string): Promise<unknown> {
  const { manager } = waylay.world;
  return ((await manager.get(id)) ?? (await manager.schedules.get(id)))?.input;
}

describe.each([ONCE, PERIODIC])(
  '$type > what is hidden in `conf` is not stored by putting it back',
  (specification) => {
    test('as it is', async () => {
      waylay = await WaylayWorld.open({}, { redact });
      const id = await waylay.create({ ...specification, variables });
      const { value } = await waylay.ask('GET', `tasks/${id}/conf`);
      expect(value.variables).toEqual(shown);
      expect((await waylay.ask('PUT', `tasks/${id}`, { ...value, name: 'Again' })).value.name).toBe('Again');
      expect(await stored(id)).toEqual(variables);
    });

    test('with other values beside it', async () => {
      waylay = await WaylayWorld.open({}, { redact });
      const id = await waylay.create({ ...specification, variables });
      const hosts = [{ name: 'b', password: '***', port: 1 }];
      const sent = { ...specification, variables: { folder: 'src', password: 'new', hosts } };
      expect((await waylay.ask('PUT', `tasks/${id}`, sent)).status).toBe(200);
      const host = { name: 'b', password: 'q', port: 1 };
      expect(await stored(id)).toEqual({ folder: 'src', password: 'new', internal: 7, hosts: [host] });
    });

    test.each([
      ['moved', [B, A], [2, 1]],
      ['one left out', [B], [2]],
      ['a new one in front', [{ name: 'c', password: 'new' }, A, B], [null, 1, 2]],
      ['one changed', [{ ...A, name: 'c' }, B], [1, 2]],
      ['one changed and moved', [B, { ...A, name: 'c' }], null],
      ['one changed, another left out', [{ ...B, name: 'c' }], null],
      ['what is not hidden changed, and more', [{ name: 'c' }, A], [null, 1]],
    ] as const)('in a list > %s', async (_what, hosts, of) => {
      waylay = await WaylayWorld.open({}, { redact });
      const real = [A, B].map((host, at) => ({ ...host, password: `p${at + 1}` }));
      const id = await waylay.create({ ...specification, variables: { hosts: real } });
      const { status } = await waylay.ask('PUT', `tasks/${id}`, { ...specification, variables: { hosts } });
      expect(status).toBe(of === null ? 400 : 200);
      const expected = of?.map((n, at) => (n === null ? hosts[at] : { ...hosts[at], password: `p${n}` })) ?? real;
      expect(await stored(id)).toEqual({ hosts: expected });
    });

    test('in a long list > as it is, or refused', async () => {
      waylay = await WaylayWorld.open({}, { redact });
      const hosts = Array.from({ length: 200 }, (_, n) => ({ name: `h${n}`, password: `p${n}` }));
      const id = await waylay.create({ ...specification, variables: { hosts } });
      const { value } = await waylay.ask('GET', `tasks/${id}/conf`);
      const put = async (sent: object) => (await waylay.ask('PUT', `tasks/${id}`, sent)).status;
      expect(await put({ ...value, variables: { hosts: [...value.variables.hosts].reverse() } })).toBe(400);
      expect(await put({ ...value, name: 'Again' })).toBe(200);
      expect(await stored(id)).toEqual({ hosts });
    });

    test('in a list of nothing else > what cannot be told apart is refused', async () => {
      waylay = await WaylayWorld.open(
        {},
        { redact: (value, part) => (part === 'input' ? { keys: ['*', '*', '*'] } : value) },
      );
      const id = await waylay.create({ ...specification, variables: { keys: ['a', 'b', 'c'] } });
      const put = async (keys: readonly string[]) =>
        (await waylay.ask('PUT', `tasks/${id}`, { ...specification, variables: { keys } })).status;
      expect(await put(['*', '*'])).toBe(400);
      expect(await put(['*', 'new', '*'])).toBe(200);
      expect(await stored(id)).toEqual({ keys: ['a', 'new', 'c'] });
      expect(await put(['x', 'y'])).toBe(200);
      expect(await stored(id)).toEqual({ keys: ['x', 'y'] });
    });

    test('nothing of it is shown > it stays as it is', async () => {
      waylay = await WaylayWorld.open({}, { redact: (value, part) => (part === 'input' ? 'hidden' : value) });
      const id = await waylay.create({ ...specification, variables });
      const { value } = await waylay.ask('GET', `tasks/${id}/conf`);
      expect(value).not.toHaveProperty('variables');
      expect((await waylay.ask('PUT', `tasks/${id}`, value)).status).toBe(200);
      expect(await stored(id)).toEqual(variables);
    });

    test('another template is not given it', async () => {
      waylay = await WaylayWorld.open({}, { redact });
      waylay.world.manager.register({ name: 'echo' });
      const id = await waylay.create({ ...specification, variables });
      const put = (sent: object) =>
        waylay.ask('PUT', `tasks/${id}`, { ...specification, template: 'echo', variables: sent });
      expect(await put(shown)).toMatchObject({ status: 400, value: { details: [{ details: { path: 'variables' } }] } });
      expect((await put({ hosts: [{ password: '***' }] })).status).toBe(400);
      expect(await stored(id)).toEqual(variables);
      expect((await put({ folder: 'docs' })).status).toBe(200);
      expect(await stored(id)).toEqual({ folder: 'docs' });
    });
  },
);

test('a rule of its own > the same', async () => {
  waylay = await WaylayWorld.open({ ruleHandler: 'reindex' }, { redact });
  const rule = { task: { name: 'Rule', type: 'onetime', start: false }, sensors: [{ name: 's', password: 'p' }] };
  const { value } = await waylay.ask('POST', 'tasks', rule);
  const { value: conf } = await waylay.ask('GET', `tasks/${value.ID}/conf`);
  expect(conf.sensors).toEqual([{ name: 's', password: '***' }]);
  await waylay.ask('PUT', `tasks/${value.ID}`, { ...conf, notes: 'mine' });
  expect(await stored(value.ID)).toEqual({ ...rule, notes: 'mine' });
});

test.each([ONCE, PERIODIC])('$type > what a schema says of what is hidden is not told', async (specification) => {
  waylay = await WaylayWorld.open({}, { redact });
  const input = v.variant('kind', [
    v.object({ kind: v.literal('text'), password: v.string() }),
    v.object({ kind: v.literal('number'), password: v.number() }),
  ]);
  waylay.world.manager.register(defineTask({ name: 'typed', input }) as unknown as AnyTask);
  const sent = { ...specification, template: 'typed', variables: { kind: 'text', password: 'secret' } };
  const id = await waylay.create(sent);
  const other = { ...sent, variables: { kind: 'number', password: '***' } };
  const put = await waylay.ask('PUT', `tasks/${id}`, other);
  const batch = await waylay.batch('updateProperties', { ids: [id] }, { variables: { kind: 'number' } });
  const error = 'The body is not valid: variables: is not valid with what is hidden from you';
  expect([put.status, put.value.error]).toEqual([400, error]);
  expect(batch.failure).toEqual({ [id]: { statusCode: 400, error } });
  expect(JSON.stringify([put.value, batch])).not.toContain('secret');
  // of what he sent himself he is told
  const own = await waylay.ask('PUT', `tasks/${id}`, { ...sent, variables: { kind: 'text', password: 7 } });
  expect(own.value.error).toContain('received 7');
});

test.each([ONCE, PERIODIC])('$type > `network` is made of what the caller sees', async (specification) => {
  waylay = await WaylayWorld.open({ network: ({ input }) => ({ input }) }, { redact });
  const id = await waylay.create({ ...specification, variables });
  expect((await waylay.ask('GET', `tasks/${id}`)).value.network).toEqual({ input: shown });
});

test('a reader who may change nothing is told so, whatever he puts', async () => {
  waylay = await WaylayWorld.open(
    {},
    { redact, policy: { scope: () => 'all', can: (_who, action) => action !== 'update' } },
  );
  const id = await waylay.create({ ...ONCE, variables });
  const put = await waylay.ask('PUT', `tasks/${id}`, { ...ONCE, template: 'other', variables: shown });
  expect(put.status).toBe(403);
});

test('a list of large items, all of them changed and one gone > is looked through once, not once for each pair', async () => {
  waylay = await WaylayWorld.open({}, { redact });
  const item = (n: number, more: object): object => {
    const lines = Array.from({ length: 90 }, (_, i) => ({ i, n, t: 'z'.repeat(80) }));
    return { a: { b: { c: { lines, ...more } } } };
  };
  const numbers = Array.from({ length: 99 }, (_, n) => n);
  const items = numbers.map((n) => item(n, { password: 'p' }));
  const id = await waylay.create({ ...ONCE, variables: { items } });
  const put = async (list: readonly object[]) =>
    (await waylay.ask('PUT', `tasks/${id}`, { ...ONCE, variables: { items: list } })).status;
  const sent = numbers.slice(1).map((n) => item(n + 1_000, {}));
  expect(await put([...sent.slice(1), item(7, { password: '***', port: 1 })])).toBe(400);
  expect(await put(sent)).toBe(200);
  expect(await stored(id)).toEqual({ items: sent });
});
