import { afterEach, beforeEach, expect, test } from 'vitest';
import { World } from './support.ts';

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

test('GET /handlers > names, descriptions and the JSON Schema of each input', async () => {
  const { items } = await world.json('/handlers');
  expect(items.map(({ name }) => name)).toEqual(['echo', 'held', 'broken']);
  expect(items[0]).toMatchObject({
    description: 'Gives back its input',
    deprecated: false,
    input: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
  });
  expect(items[1]).toMatchObject({ description: null, input: {} });
});

test('GET /stats > counts by status and handler', async () => {
  await world.post('/tasks', { handler: 'held', hold: true });
  expect(await world.json('/stats')).toMatchObject({
    byStatus: { scheduled: 1, running: 0 },
    byHandler: { held: { scheduled: 1 } },
  });
});

test('GET /health > the process answers', async () => {
  expect(await world.json('/health')).toEqual({ status: 'ok' });
});

test('GET /ready > does not say what the storage says: it may name files', async () => {
  world.manager.health = async () => ({
    ready: false,
    problems: ['the storage does not answer: cannot open /srv/tasks.db'],
  });
  expect(await world.json('/ready')).toEqual({ ready: false, problems: ['the storage does not answer'] });
});

test('GET /ready > 200 while tasks are run, 503 with the reasons when not', async () => {
  expect(await world.json('/ready')).toEqual({ ready: true, problems: [] });
  await world.manager.close();
  const response = await world.fetch('/ready');
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ ready: false });
});
