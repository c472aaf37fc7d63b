import type { Redact } from 'tasklane/http';
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
      const hosts = [
        { name: 'b', password: '***' },
        { name: 'c', password: 'r' },
      ];
      const sent = { ...specification, variables: { folder: 'src', password: 'new', hosts } };
      expect((await waylay.ask('PUT', `tasks/${id}`, sent)).status).toBe(200);
      expect(await stored(id)).toEqual({
        folder: 'src',
        password: 'new',
        internal: 7,
        hosts: [
          { name: 'b', password: 'q' },
          { name: 'c', password: 'r' },
        ],
      });
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
