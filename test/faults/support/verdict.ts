import { isDeepStrictEqual } from 'node:util';
import type { TaskRecord } from 'tasklane';
import { type Evidence, explain } from './explain.ts';
import type { Line, Run } from './journal.ts';
import type { Order } from './orders.ts';

/** What is left when all is done. */
export interface Remains {
  readonly orders: readonly Order[];
  readonly evidence: readonly Evidence[];
  readonly journal: readonly Line[];
  /** When each process that was killed was sent its SIGKILL, by pid. */
  readonly killed: ReadonlyMap<number, number>;
}

/**
 * Times from a SIGKILL to the next start of a task that it cut off, ms, in ascending order. Only of the most urgent tasks:
 * the others wait for those first.
 */
export interface Resumed {
  /** Queued at once: never started for certain, or lost for the first time. */
  readonly atOnce: readonly number[];
  /** Lost again: waits 1 s or longer. */
  readonly later: readonly number[];
}

/** Whatever breaks a promise; empty when all are kept. */
export function judge(remains: Remains): readonly string[] {
  return [
    ...remains.evidence.flatMap(({ task }) => (task.status === 'succeeded' ? [] : [`${task.id} is ${task.status}`])),
    ...remains.evidence.flatMap(explain),
    ...submits(remains),
    ...overlaps(remains),
    ...cutOff(remains),
  ];
}

/** What was acknowledged is there, each key made one task, and no order is there in part. */
function submits({ orders, evidence, journal }: Remains): readonly string[] {
  const problems: string[] = [];
  const byOrder = new Map<unknown, TaskRecord[]>();
  for (const { task } of evidence) byOrder.set(task.tags.order, [...(byOrder.get(task.tags.order) ?? []), task]);
  for (const { name, items, keyed, ids } of orders) {
    const tasks = byOrder.get(name) ?? [];
    byOrder.delete(name);
    const known = tasks.map(({ id }) => id);
    for (const id of ids ?? []) if (!known.includes(id)) problems.push(`${id} was acknowledged, and is not there`);
    if (keyed && ids === null) problems.push(`order ${name} was never acknowledged`);
    const whole = tasks.length === items.length || (tasks.length === 0 && ids === null);
    if (!whole) problems.push(`order ${name} of ${items.length} made ${tasks.length} tasks`);
    for (const [index, { input, priority, tags }] of tasks.entries()) {
      const item = items[index];
      const stored = { input, priority, tags };
      const asked = { input: item?.input ?? null, priority: item?.priority, tags: item?.tags };
      if (item !== undefined && !isDeepStrictEqual(stored, asked)) problems.push(`${known[index]} is not as submitted`);
    }
  }
  for (const [order, tasks] of byOrder) problems.push(`${tasks.length} tasks of ${order}, which nobody sent`);
  const known = new Set(evidence.map(({ task }) => task.id));
  for (const { taskId } of journal) if (!known.has(taskId)) problems.push(`${taskId} ran, and is not there`);
  return problems;
}

/** No task ran in two processes that were alive. A run is open from its start to its end, or to its process's death. */
function overlaps({ evidence, journal, killed }: Remains): readonly string[] {
  const problems: string[] = [];
  const lastLine = new Map(journal.map(({ pid, at }) => [pid, at]));
  const endOf = ({ pid, end }: Run): number => {
    if (end !== null) return end.at;
    // A dying process may still have written a line.
    return Math.max(killed.get(pid) ?? Number.POSITIVE_INFINITY, lastLine.get(pid) ?? 0);
  };
  for (const { task, runs } of evidence) {
    let open = Number.NEGATIVE_INFINITY;
    for (const run of [...runs].sort((one, other) => one.startedAt - other.startedAt)) {
      if (run.startedAt < open) problems.push(`${task.id}: attempt ${run.attempt} began while another ran`);
      open = Math.max(open, endOf(run));
    }
  }
  return problems;
}

/** Only the death of its process makes a run lost, or gives it back. */
function cutOff({ evidence, journal, killed }: Remains): readonly string[] {
  const problems: string[] = [];
  const pids = new Map(journal.map(({ workerId, pid }) => [workerId, pid]));
  for (const { task, attempts, runs } of evidence) {
    for (const { attempt, outcome, workerId } of attempts) {
      const taken = outcome === 'lost' || outcome === 'interrupted';
      const pid = pids.get(workerId);
      if (taken && pid !== undefined && !killed.has(pid)) {
        problems.push(`${task.id}: attempt ${attempt} is ${outcome}, but its process was not killed`);
      }
      const run = runs.find((one) => one.attempt === attempt);
      if (!taken && run !== undefined && run.end === null) {
        problems.push(`${task.id}: attempt ${attempt} is ${outcome}, but its handler never ended`);
      }
    }
  }
  return problems;
}

/** How long tasks waited whose process was killed. Nothing is promised about it here. */
export function resumed({ evidence, killed }: Remains): Resumed {
  const atOnce: number[] = [];
  const later: number[] = [];
  const most = Math.max(...evidence.map(({ task }) => task.priority));
  for (const { task, attempts, runs } of evidence) {
    if (task.priority < most) continue;
    let lost = 0;
    for (const { attempt, outcome } of attempts) {
      if (outcome === 'lost') lost++;
      if (outcome !== 'lost' && outcome !== 'interrupted') continue;
      const run = runs.find((one) => one.attempt === attempt);
      const next = runs.find((one) => one.attempt > attempt);
      const killedAt = run === undefined ? undefined : killed.get(run.pid);
      if (next === undefined || killedAt === undefined) continue;
      (outcome === 'lost' && lost > 1 ? later : atOnce).push(next.startedAt - killedAt);
    }
  }
  return { atOnce: atOnce.sort((a, b) => a - b), later: later.sort((a, b) => a - b) };
}
