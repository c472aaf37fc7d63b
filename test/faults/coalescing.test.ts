import { afterEach, beforeEach, expect, test } from 'vitest';
import { Stage } from './support/child.ts';
import { evidenceOf } from './support/evidence.ts';
import { explain } from './support/explain.ts';

// Submits that find each other by `debounce` or `throttle`, from several processes, some of which are killed.

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.clear());

test('200 throttled submits from two processes: one task, which runs once', async () => {
  const children = [stage.child(), stage.child()];
  const item = { handler: 'noop', throttle: { key: 'docs', window: '1h' } } as const;
  const answers = await Promise.all(children.map((child) => child.ask('submitTogether', item, 100)));
  const all = answers.flat();
  expect(new Set(all.map(({ id }) => id)).size).toBe(1);
  expect(all.filter(({ created }) => created)).toHaveLength(1);
  await children[0]?.ask('ended', all[0]?.id ?? '');
  const [only, ...others] = await evidenceOf(stage);
  expect([only?.runs.length, others.length]).toEqual([1, 0]);
  for (const child of children) await child.close();
});

test('a window outlives its process', async () => {
  const throttle = { key: 'docs', window: '1h' } as const;
  const child = stage.child();
  const { id } = await child.ask('submit', { handler: 'noop', throttle });
  await child.ask('ended', id);
  await child.kill();
  const next = stage.child();
  expect(await next.ask('submit', { handler: 'noop', throttle })).toEqual({ id, created: false });
  await next.close();
});

test.each([
  ['before', 'old'],
  ['after', 'new'],
] as const)('killed right %s a debounced submit is stored: one task, once, with the %s input', async (when, say) => {
  const debounce = { key: 'docs', wait: '1s' } as const;
  const first = stage.child({ start: false });
  const { id } = await first.ask('submit', { handler: 'noop', input: { say: 'old' }, debounce });
  await first.kill();
  const second = stage.child({ trap: { call: 'insert', when }, start: false });
  await expect(second.ask('submit', { handler: 'noop', input: { say: 'new' }, debounce })).rejects.toThrow();
  expect(await second.exited).toEqual({ code: null, signal: 'SIGKILL' });
  const next = stage.child();
  expect(await next.ask('ended', id)).toMatchObject({ status: 'succeeded', input: { say }, attempt: 1 });
  await next.close();
  const evidence = await evidenceOf(stage);
  expect(evidence.flatMap(explain)).toEqual([]);
  expect(evidence.map(({ runs }) => runs.length)).toEqual([1]);
});
