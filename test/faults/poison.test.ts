import { afterEach, beforeEach, expect, test } from 'vitest';
import { Stage } from './support/child.ts';
import { evidenceOf } from './support/evidence.ts';
import { type Evidence, explain } from './support/explain.ts';
import type { Item } from './support/messages.ts';

let stage: Stage;

beforeEach(() => {
  maxLost = 1;
  stage = new Stage();
});
afterEach(() => stage.clear());

let maxLost = 1;

/** Submits these, and starts one process after the other for as long as they are killed. @returns all, and how many died */
async function survive(items: readonly Item[]): Promise<{ all: readonly Evidence[]; deaths: number }> {
  let child = stage.child({ maxLost, concurrency: 10, start: false });
  const submitted = await child.ask('submitMany', items);
  for (let deaths = 0; ; deaths++) {
    const current = child;
    void current.ask('start', true);
    const survives = Promise.all(submitted.map(({ id }) => current.ask('ended', id))).then(() => true);
    if (await Promise.race([survives.catch(() => false), current.exited.then(() => false)])) {
      await current.close();
      return { all: await evidenceOf(stage), deaths };
    }
    child = stage.child({ maxLost, concurrency: 10, start: false });
  }
}

function expectFoundOut({ task, attempts, runs }: Evidence): void {
  expect(task).toMatchObject({ handler: 'poison', status: 'failed', error: { code: 'lost' }, lost: maxLost + 1 });
  expect(runs.length).toBe(attempts.length); // it ran in each, and never ended
  expect(runs.map(({ end }) => end)).toEqual(runs.map(() => null));
}

test('a handler that kills its process is found out, and fails as lost', async () => {
  const { all, deaths } = await survive([{ handler: 'poison' }]);
  expect(all.flatMap(explain)).toEqual([]);
  for (const poison of all) expectFoundOut(poison);
  // The first time nobody knows that it had started.
  expect([deaths, all[0]?.task.attempt, all[0]?.task.interrupted]).toEqual([maxLost + 2, maxLost + 2, 1]);
});

test('a handler that kills its process > its neighbours finish, and only those that had started are counted as lost', async () => {
  const neighbours = (count: number): readonly Item[] =>
    Array.from(
      { length: count },
      (_, index): Item => (index % 2 === 0 ? { handler: 'noop' } : { handler: 'work', input: { ms: 30, steps: 1 } }),
    );
  const { all } = await survive([...neighbours(6), { handler: 'poison' }, ...neighbours(20)]);
  expect(all.flatMap(explain)).toEqual([]);
  for (const evidence of all) {
    if (evidence.task.handler === 'poison') expectFoundOut(evidence);
    else {
      const { task, attempts, runs } = evidence;
      const ran = attempts.filter(({ attempt }) => runs.some((run) => run.attempt === attempt));
      const lost = attempts.filter(({ outcome }) => outcome === 'lost');
      expect
        .soft([task.status, task.error], `${task.handler} ${attempts.map((a) => a.outcome)}`)
        .toEqual(['succeeded', null]);
      expect.soft(ran, `${task.handler} ${attempts.map((a) => a.outcome)}`).toEqual(expect.arrayContaining(lost));
    }
  }
});

test.each([[1], [3]])(
  'a handler that kills its process after a while > maxLost %i: what runs beside it all the time is not blamed for its last chance',
  async (most) => {
    maxLost = most;
    // Longer than the poison takes, so that both have started whenever the process dies.
    const long = { handler: 'work', input: { ms: 1_500, steps: 1 } };
    const { all } = await survive([long, { handler: 'poison', input: { after: 400 } }, long]);
    expect(all.flatMap(explain)).toEqual([]);
    for (const evidence of all) {
      if (evidence.task.handler === 'poison') expectFoundOut(evidence);
      else expect.soft(evidence.task).toMatchObject({ status: 'succeeded', error: null, lost: most });
    }
  },
);
