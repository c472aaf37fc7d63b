import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Child, Stage } from './support/child.ts';
import { evidenceOf, onlyTask } from './support/evidence.ts';
import { explain } from './support/explain.ts';
import type { Item, Notice } from './support/messages.ts';

let stage: Stage;
let here: Child;
let there: Child;

beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.clear());

/** `here` runs tasks; `there` submits and watches only. */
async function startOne(): Promise<void> {
  here = stage.child({ start: false });
  there = stage.child({ start: false });
  await Promise.all([here.ask('start', true), there.ask('start', false)]);
}

/** Both run tasks. */
async function startBoth(concurrency: number): Promise<void> {
  here = stage.child({ start: false, concurrency });
  there = stage.child({ start: false, concurrency });
  await Promise.all([here.ask('start', true), there.ask('start', true)]);
}

async function closeBoth(): Promise<void> {
  for (const child of [here, there]) expect(await child.close()).toEqual({ code: 0, signal: null });
  for (const { notices } of [here, there]) expect(notices.filter(({ kind }) => kind === 'error')).toEqual([]);
}

describe('a cancel in another process', () => {
  test('aborts the signal of the handler, with the reason, and the record keeps it', async () => {
    await startOne();
    // Its start is stored: no beat is under way that would bring the news.
    const { id } = await there.ask('submit', { handler: 'hold', input: { stored: true } });
    await here.began(id);
    const began = performance.now();
    expect((await there.ask('cancel', id, 'nobody needs it')).status).toBe('cancelling');
    const aborted = await here.told('aborted', ({ taskId }) => taskId === id);
    report('cancel to abort in the other process', began);
    expect(aborted).toMatchObject({ code: 'cancelled', message: expect.stringContaining('nobody needs it') });
    const task = await there.ask('ended', id);
    expect(task).toMatchObject({ status: 'cancelled', cancelReason: 'nobody needs it', attempt: 1 });
    await closeBoth();
    expect((await onlyTask(stage)).runs.map(({ end }) => end?.how)).toEqual(['aborted']);
  });

  test('of a task that waits: it never starts', async () => {
    await startOne();
    const { id } = await here.ask('submit', { handler: 'noop', hold: true });
    expect(await there.ask('cancel', id, 'why')).toMatchObject({ status: 'cancelled', cancelReason: 'why' });
    await closeBoth();
    expect((await onlyTask(stage)).runs).toEqual([]);
  });
});

describe('a pause in another process', () => {
  /**
   * Submits a task of the handler that is paused, then a less urgent one of another, and waits for that: whoever took it had
   * passed over the first, if that still waits.
   */
  async function holds(): Promise<boolean> {
    const { id } = await there.ask('submit', { handler: 'noop', priority: 1 });
    const sentinel = await there.ask('submit', { handler: 'snooze', input: { times: 0 } });
    await there.ask('ended', sentinel.id);
    return (await there.ask('get', id))?.status === 'queued';
  }

  test('stops this one from starting tasks, until it is resumed', async () => {
    await startOne();
    expect(await holds()).toBe(false);
    await there.ask('pause', 'noop');
    const began = performance.now();
    while (!(await holds()));
    report('pause to its effect in the other process', began);
    for (let again = 0; again < 5; again++) expect(await holds()).toBe(true);
    const waiting = (await evidenceOf(stage)).filter(({ task }) => task.status === 'queued');
    expect(waiting.length).toBe(6);
    await there.ask('resume', 'noop');
    await Promise.all(waiting.map(({ task }) => there.ask('ended', task.id)));
    await closeBoth();
    expect((await evidenceOf(stage)).flatMap(explain)).toEqual([]);
  });

  test('of everything: held by a process that starts later, too', async () => {
    here = stage.child({ start: false });
    there = stage.child({ start: false });
    await there.ask('pause');
    const { id } = await there.ask('submit', { handler: 'noop' });
    await here.ask('start', true);
    await here.ask('idle'); // nothing that may run
    expect((await there.ask('get', id))?.status).toBe('queued');
    await there.ask('resume');
    expect((await there.ask('ended', id)).status).toBe('succeeded');
    await closeBoth();
  });
});

describe('a watcher in another process', () => {
  const news = (type: string, message: string | null, status: string) => (notice: Notice) =>
    notice.kind === 'news' &&
    notice.news.type === type &&
    notice.news.status === status &&
    (message === null || notice.news.message === message);

  test.each(['of one task', 'of all tasks'])(
    '%s sees the status, the progress and the log of a task that runs here',
    async (whose) => {
      await startOne();
      const all = whose === 'of all tasks';
      if (all) await there.ask('follow', null);
      const { id } = await here.ask('submit', { handler: 'hold', input: { say: 'half-way' } });
      if (!all) await there.ask('follow', id);
      await here.began(id);
      const began = performance.now();
      await Promise.all([
        there.told('news', news('status', null, 'running')),
        there.told('news', news('progress', 'half-way', 'running')),
        there.told('news', news('log', 'said half-way', 'running')),
      ]);
      report('news of a running task', began);
      const released = performance.now();
      await here.ask('release', id);
      await there.told('news', news('status', null, 'succeeded'));
      report('news of its end', released);
      if (!all) expect(await there.told('news ended')).toMatchObject({ error: null }); // after the final status
      const seen = there.notices.flatMap((notice) => (notice.kind === 'news' ? [notice.news] : []));
      expect(new Set(seen.map(({ taskId }) => taskId))).toEqual(new Set([id]));
      expect(seen.at(-1)).toMatchObject({ type: 'status', status: 'succeeded' });
      await closeBoth();
      if (all) expect(await there.told('news ended')).toMatchObject({ error: 'ManagerClosedError' });
    },
  );
});

describe('one key from two processes', () => {
  test.each([
    ['idempotency key', { idempotencyKey: 'once' }],
    ['unique key', { unique: { key: 'once' } }],
  ] as const)('200 concurrent submits of one %s make one task', async (_, key) => {
    await startBoth(4);
    const item: Item = { handler: 'hold', input: {}, ...key };
    const answers = await Promise.all([here, there].map((child) => child.ask('submitTogether', item, 100)));
    const submitted = answers.flat();
    expect(submitted.length).toBe(200);
    expect(submitted.filter(({ created }) => created).length).toBe(1);
    expect(new Set(submitted.map(({ id }) => id)).size).toBe(1);
    await Promise.all([here.ask('releaseAll'), there.ask('releaseAll')]);
    await here.ask('ended', submitted[0]?.id ?? '');
    await closeBoth();
    expect((await onlyTask(stage)).task).toMatchObject({ status: 'succeeded', attempt: 1 });
  });
});

describe('a full drain by two processes', () => {
  test('runs every task once', async () => {
    await startBoth(1);
    // With one slot each, both hold one before anything else runs: so both take part.
    const first = await here.ask('submit', { handler: 'hold', input: {}, priority: 1 });
    const second = await there.ask('submit', { handler: 'hold', input: {}, priority: 1 });
    const items = Array.from(
      { length: 400 },
      (_, index): Item => ({ handler: 'noop', priority: index % 3 === 0 ? 0 : -1 }),
    );
    await Promise.all([here.ask('submitMany', items.slice(200)), there.ask('submitMany', items.slice(0, 200))]);
    const begun = [here, there].map((child) => child.told('began'));
    expect(new Set((await Promise.all(begun)).map(({ taskId }) => taskId))).toEqual(new Set([first.id, second.id]));
    await Promise.all([here.ask('releaseAll'), there.ask('releaseAll')]);
    await Promise.all([here.ask('idle'), there.ask('idle')]);
    await closeBoth();
    const evidence = await evidenceOf(stage);
    expect(evidence.flatMap(explain)).toEqual([]);
    expect(evidence.length).toBe(402);
    for (const { task, runs } of evidence)
      expect([task.status, task.attempt, runs.length]).toEqual(['succeeded', 1, 1]);
    const pids = new Set(evidence.flatMap(({ runs }) => runs.map(({ pid }) => pid)));
    expect(pids.size).toBe(2);
  });
});

/** Times are told, and nothing is asserted about them: the machine is shared. */
function report(what: string, since: number): void {
  if (process.env.TASKLANE_TIMES) console.log(`${what}: ${Math.round(performance.now() - since)} ms`);
}
