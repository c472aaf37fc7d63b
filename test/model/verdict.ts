import type { TaskAttempt, TaskRecord } from 'tasklane';
import { isFinal, STATUSES } from '../../src/task/status.ts';
import { errorOf } from '../support/gate.ts';
import type { Host } from './host.ts';
import { show } from './ledger.ts';
import type { Acknowledged } from './play.ts';
import type { ModelWorld } from './world.ts';

/** Healthy managers are given this long to end everything, in ms: retries, losses, snoozes and the waits of an outbox. */
const ENOUGH_MS = 600_000;
const STEP_MS = 2_000;
const CLOSE_STEPS = 60;
const ANSWER_STEPS = 60;

/** Heals everything, waits for all tasks to end, and collects what does not hold. */
export async function judge(world: ModelWorld, acknowledged: Acknowledged): Promise<readonly string[]> {
  const host = await heal(world);
  await finish(world, host);
  const tasks = await world.all();
  const found = new Map(tasks.map((task) => [task.id, task]));
  for (const [id, { handler }] of acknowledged) {
    const task = found.get(id);
    if (task === undefined) world.problem(`${id}: lost, although its submit was acknowledged`);
    else if (task.handler !== handler) world.problem(`${id}: is another task`);
  }
  for (const task of tasks) {
    if (!isFinal(task.status)) world.problem(`${task.id}: did not end: ${show(task)}`);
    judgeOutcome(world, task);
    judgeAttempts(world, task, await answered(world, 'attempts', host.manager.attempts(task.id)));
  }
  await judgeCounts(world, host, tasks);
  await judgeResults(world, host, tasks);
  await judgeKeys(world, host);
  await closeAll(world);
  return world.ledger.problems;
}

/** The answer of a healthy manager, which may need some time: another connection may hold the lock. */
async function answered<T>(world: ModelWorld, what: string, promise: Promise<T>): Promise<T> {
  let over = false;
  const end = (): void => {
    over = true;
  };
  promise.then(end, end);
  await world.settle();
  for (let step = 0; step < ANSWER_STEPS && !over; step++) await world.clock.advance('1s');
  if (!over) throw new Error([...world.ledger.problems, `${what} does not answer`].join('\n'));
  return promise;
}

/** No more faults; both managers live and run; nothing is paused, held or hangs. */
async function heal(world: ModelWorld): Promise<Host> {
  for (const host of world.hosts) {
    host.line.disarm();
    host.wake();
  }
  await world.clock.advance('20s'); // what is slow comes, and may be the end of a process
  const hosts = [world.living(0), world.living(1)] as const;
  for (const { manager } of hosts) await answered(world, 'start', manager.start());
  world.resumed();
  await answered(world, 'resume', hosts[0].manager.resume());
  for (const { manager } of hosts) manager.setConcurrency(10);
  world.ending = true;
  world.letGoOf(undefined);
  for (const task of await world.all()) {
    if (task.status !== 'scheduled' || task.runAt !== null) continue;
    await answered(
      world,
      'runNow',
      hosts[0].manager.runNow(task.id).then(
        () => {},
        () => {},
      ),
    );
  }
  return hosts[0];
}

async function finish(world: ModelWorld, { manager }: Host): Promise<void> {
  const open = async (): Promise<number> =>
    manager.count({ status: ['waiting', 'scheduled', 'queued', 'running', 'cancelling'], archived: 'both' });
  for (let ms = 0; ms < ENOUGH_MS && (await open()) > 0; ms += STEP_MS) await world.clock.advance(STEP_MS);
  await world.clock.advance('15s'); // a dead worker is silent for 10 s, and looked for each 2 s
  const workers = await world.storage.workers();
  if (workers.length !== 2) world.problem(`${workers.length} workers are known of 2`);
}

/** The outcome is that of the newest attempt, or came from outside. */
function judgeOutcome(world: ModelWorld, task: TaskRecord): void {
  const { id, status, result, error, attempt } = task;
  if (status === 'succeeded' && result !== 'outside') {
    const by = (result as { attempt?: unknown } | null)?.attempt;
    if (by !== attempt) world.problem(`${id}: has the result of attempt ${by}: ${show(task)}`);
    if (!world.hasRun(id, attempt)) world.problem(`${id}: succeeded without having run: ${show(task)}`);
  }
  if (status === 'failed' && error?.code === 'handler_failed' && error.message !== 'outside') {
    const aborted = error.name === 'TaskAbort';
    if (error.message !== `attempt ${attempt}` && !aborted)
      world.problem(`${id}: another attempt's error: ${show(task)}`);
  }
}

function judgeAttempts(world: ModelWorld, task: TaskRecord, attempts: readonly TaskAttempt[]): void {
  const numbers = attempts.map(({ attempt }) => attempt);
  const wrong = (what: string): void => {
    const outcomes = attempts.map(({ attempt, outcome }) => `${attempt} ${outcome}`).join(', ');
    world.problem(`${task.id}: ${what}: ${show(task)}, attempts ${outcomes}`);
  };
  if (numbers.length !== task.attempt || numbers.some((number, index) => number !== index + 1)) {
    wrong('its attempts are not one each');
  }
  const count = (outcome: TaskAttempt['outcome']): number => attempts.filter((one) => one.outcome === outcome).length;
  // One that was lost too often failed by it.
  const lost =
    count('lost') + attempts.filter(({ outcome, error }) => outcome === 'failed' && error?.code === 'lost').length;
  if (lost !== task.lost) wrong(`${lost} lost attempts`);
  if (count('interrupted') !== task.interrupted) wrong(`${count('interrupted')} interrupted attempts`);
  if (count('snoozed') !== task.snoozed) wrong(`${count('snoozed')} snoozed attempts`);
  if (attempts.some(({ outcome }) => outcome === null)) wrong('an attempt without an outcome');
  // After a loss, or a silence, the start is stored before the handler is called: a process may be gone between the two.
  for (const { attempt, outcome } of attempts) {
    const known = world.hasRun(task.id, attempt) || world.hasStart(task.id, attempt);
    if (outcome === 'lost' && !known) wrong(`attempt ${attempt} was lost, and neither ran nor has its start on record`);
  }
}

async function judgeCounts(world: ModelWorld, { manager }: Host, tasks: readonly TaskRecord[]): Promise<void> {
  const { byStatus, byHandler } = await answered(world, 'stats', manager.stats());
  for (const status of STATUSES) {
    const listed = tasks.filter((task) => task.status === status);
    const counted = await answered(world, 'count', manager.count({ status }));
    if (byStatus[status] !== listed.length || counted !== listed.length) {
      world.problem(`${status}: ${listed.length} listed, ${byStatus[status]} in stats, ${counted} counted`);
    }
    for (const [handler, counts] of Object.entries(byHandler)) {
      const own = listed.filter((task) => task.handler === handler).length;
      if (counts[status] !== own) world.problem(`${handler}, ${status}: ${own} listed, ${counts[status]} in stats`);
    }
  }
}

/** Whoever waited for a result was told, but where his process is gone; and whoever asks now is told the end. */
async function judgeResults(world: ModelWorld, { manager }: Host, tasks: readonly TaskRecord[]): Promise<void> {
  for (const { state, results, slot } of world.hosts) {
    if (state === 'dead') continue;
    for (const { id, done } of results) if (!done) world.problem(`${id}: manager ${slot} still waits for its result`);
  }
  for (const task of tasks) {
    if (!isFinal(task.status)) continue;
    const result = manager.task(task.id).result();
    if (task.status === 'succeeded') {
      if (JSON.stringify(await answered(world, 'result()', result)) !== JSON.stringify(task.result))
        world.problem(`${task.id}: another result`);
    } else {
      const error = (await answered(world, 'result()', errorOf(result))) as { code?: unknown };
      if (error.code !== `task_${task.status}`)
        world.problem(`${task.id}: result() of a ${task.status} task: ${error.code}`);
    }
  }
}

/** No final task stands in the way of a new one. */
async function judgeKeys(world: ModelWorld, { manager }: Host): Promise<void> {
  for (const key of ['a', 'b']) {
    for (const handler of ['work', 'quick', 'narrow']) {
      const submitted = manager.submit(handler, { acts: [] }, { unique: { key, onConflict: 'skip' } });
      const task = await answered(world, 'submit', submitted);
      if (!task.created) world.problem(`${task.id}: final, and still holds the key ${key} of ${handler}`);
      await answered(world, 'a new task', task.result());
    }
  }
}

async function closeAll(world: ModelWorld): Promise<void> {
  for (const host of world.hosts) if (host.lives) host.close(0).catch(() => {});
  const closing = (): readonly Host[] => world.hosts.filter(({ state }) => state === 'closing');
  for (let step = 0; step < CLOSE_STEPS && closing().length > 0; step++) await world.clock.advance('1s');
  await world.settle();
  for (const { slot } of closing()) world.problem(`manager ${slot} does not close`);
  for (const { slot, state, timers } of world.hosts) {
    if (state === 'closed' && timers.length > 0)
      world.problem(`manager ${slot} left timers of ${timers.join(', ')} ms`);
  }
  const left = await world.storage.workers();
  if (left.length > 0) world.problem(`${left.length} workers are left after all are closed`);
}
