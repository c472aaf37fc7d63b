import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Child, Stage } from './support/child.ts';
import { evidenceOf } from './support/evidence.ts';
import { explain } from './support/explain.ts';

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.clear());

const unique = { key: 'docs', onConflict: 'runAfter' } as const;

/** One task runs in a child that kills itself at the end of it; another waits for it. @returns both ids */
async function dieAtTheEnd(child: Child): Promise<readonly [holder: string, waiting: string]> {
  const { id: holder } = await child.ask('submit', { handler: 'hold', input: { once: true }, unique });
  await child.began(holder);
  const { id: waiting, created } = await child.ask('submit', { handler: 'hold', input: { say: 'old' }, unique });
  expect([created, (await child.ask('get', waiting))?.status]).toEqual([true, 'waiting']);
  const last = await child.ask('submit', { handler: 'hold', input: { say: 'new' }, unique });
  expect(last).toEqual({ id: waiting, created: false });
  await child.ask('pause', 'hold'); // or it might claim the other in the same moment
  void child.ask('release', holder).catch(() => {});
  expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
  return [holder, waiting];
}

test.each(['before', 'after'] as const)(
  'killed %s a task ended: the one that waits for it starts exactly once, after that end, with the last input',
  async (when) => {
    const child = stage.child({ trap: { call: 'settle', when }, listen: false });
    const [holder, waiting] = await dieAtTheEnd(child);
    const next = stage.child();
    await next.ask('releaseAll');
    await next.ask('resume', 'hold');
    await next.ask('ended', holder);
    expect(await next.ask('ended', waiting)).toMatchObject({ status: 'succeeded', input: { say: 'new' }, attempt: 1 });
    expect(await next.close()).toEqual({ code: 0, signal: null });
    const evidence = await evidenceOf(stage);
    expect(evidence.flatMap(explain)).toEqual([]);
    const [first, second] = evidence;
    expect([first?.task.id, second?.task.id]).toEqual([holder, waiting]);
    expect(second?.runs).toHaveLength(1);
    expect(second?.task.queuedAt).toBeGreaterThanOrEqual(first?.task.finishedAt ?? Infinity);
  },
);

test.each(['replace', 'runAfter'] as const)(
  '200 submits at once from two processes, %s: one task',
  async (onConflict) => {
    const children = [stage.child({ start: false }), stage.child({ start: false })];
    const item = { handler: 'noop', unique: { key: 'docs', onConflict } } as const;
    const answers = await Promise.all(children.map((child) => child.ask('submitTogether', item, 100)));
    const all = answers.flat();
    expect(new Set(all.map(({ id }) => id)).size).toBe(1);
    expect(all.filter(({ created }) => created)).toHaveLength(1);
    const [only, ...others] = await evidenceOf(stage);
    expect([only?.task.version, others.length]).toEqual([200, 0]);
    for (const child of children) await child.close();
  },
);

test('200 debounced submits from two processes: one task, which runs once', async () => {
  const children = [stage.child(), stage.child()];
  const item = { handler: 'noop', debounce: { key: 'docs', wait: '1s' } } as const;
  const answers = await Promise.all(children.map((child) => child.ask('submitTogether', item, 100)));
  const all = answers.flat();
  expect(new Set(all.map(({ id }) => id)).size).toBe(1);
  await children[0]?.ask('ended', all[0]?.id ?? '');
  const [only, ...others] = await evidenceOf(stage);
  expect([only?.runs.length, others.length]).toEqual([1, 0]);
  for (const child of children) await child.close();
});
