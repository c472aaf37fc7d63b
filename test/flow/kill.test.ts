import { afterEach, beforeEach, expect, test } from 'vitest';
import { Stage } from '../faults/support/child.ts';
import { evidenceOf } from '../faults/support/evidence.ts';
import { type Evidence, explain } from '../faults/support/explain.ts';
import type { Item, Trap } from '../faults/support/messages.ts';

// Processes that are killed between the end of a dependency and the start of what waits for it.

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.clear());

const FLOW: readonly Item[] = [
  { handler: 'noop', ref: 'first', priority: 3 },
  { handler: 'noop', ref: 'second', dependsOn: ['first'], priority: 2 },
  { handler: 'noop', dependsOn: ['second'], priority: 1 },
];

/** The tasks of a stage, which add up. */
async function tasks(): Promise<readonly Evidence[]> {
  const all = await evidenceOf(stage);
  for (const one of all) expect(explain(one)).toEqual([]);
  return all.toSorted((a, b) => b.task.priority - a.task.priority);
}

const TRAPS: readonly (readonly [string, Trap, readonly string[]])[] = [
  ['before the end of the dependency is stored', { call: 'settle', when: 'before' }, ['waiting', 'waiting']],
  ['after it is stored', { call: 'settle', when: 'after' }, [expect.stringMatching(/^(queued|running)$/), 'waiting']],
];

test.each(TRAPS)('killed right %s: what waits for it starts once', async (_when, trap, statuses) => {
  const child = stage.child({ trap, listen: false, start: false });
  const [, second, third] = await child.ask('submitMany', FLOW);
  void child.ask('start', true);
  expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
  const there = await evidenceOf(stage);
  const found = [second, third].map((one) => there.find(({ task }) => task.id === one?.id)?.task.status);
  expect(found).toEqual(statuses);
  const next = stage.child();
  expect((await next.ask('ended', third?.id ?? '')).status).toBe('succeeded');
  await next.close();
  const [first, ...others] = await tasks();
  expect(first?.task.status).toBe('succeeded');
  for (const { task, runs } of others) expect([task.status, runs.length]).toEqual(['succeeded', 1]);
});

test('a flow that nobody acknowledged is there whole, or not at all', async () => {
  for (const [when, count] of [
    ['before', 0],
    ['after', 3],
  ] as const) {
    const child = stage.child({ trap: { call: 'insert', when }, listen: false, start: false });
    await expect(child.ask('submitMany', FLOW)).rejects.toThrow();
    expect(await evidenceOf(stage)).toHaveLength(count);
  }
});

test('killed at any moment, again and again, by one of two processes: each task starts once, and once more for each loss', async () => {
  const LINES = 6;
  const LENGTH = 12;
  const line = (name: number): readonly Item[] =>
    Array.from({ length: LENGTH }, (_, at) => ({
      handler: 'noop',
      ref: `${name}.${at}`,
      dependsOn: at === 0 ? [] : [`${name}.${at - 1}`],
      tags: { name, at },
    }));
  let pair = [stage.child(), stage.child()];
  const last: string[] = [];
  for (let name = 0; name < LINES; name++) {
    const handles = await (pair[name % 2] ?? stage.child()).ask('submitMany', line(name));
    last.push(handles.at(-1)?.id ?? '');
    const [victim, survivor] = name % 2 === 0 ? pair : pair.toReversed();
    await new Promise((resolve) => setTimeout(resolve, 5 * name));
    await victim?.kill();
    pair = [survivor ?? stage.child(), stage.child()];
  }
  for (const id of last) expect((await pair[0]?.ask('ended', id))?.status).toBe('succeeded');
  for (const child of pair) await child.close();
  const all = await tasks();
  expect(all).toHaveLength(LINES * LENGTH);
  for (const { task, runs } of all) {
    expect(task.status).toBe('succeeded');
    expect(runs.length, task.id).toBeLessThanOrEqual(1 + task.lost + task.interrupted);
  }
  // Along each line no run began before the one before it had ended.
  for (const { task } of all) {
    const before = all.find(
      (one) => one.task.tags.name === task.tags.name && Number(one.task.tags.at) === Number(task.tags.at) - 1,
    );
    if (before !== undefined) expect(task.startedAt ?? 0).toBeGreaterThanOrEqual(before.task.finishedAt ?? 0);
  }
});
