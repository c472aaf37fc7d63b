import type { TaskRecord } from 'tasklane';
import { isFinal, mayBecome, STATUSES, type Status } from '../../src/task/status.ts';

/** What was learnt of one task. */
interface Entry {
  record: TaskRecord;
  /** Restarts that were asked for, and those that are known to have happened. */
  restartsAsked: number;
  restarts: number;
  /** Restarts when its record was last looked at. */
  restartsSeen: number;
  /** Ends that a settle reported, in this life and the earlier ones. */
  ends: number;
  /** It was seen to have ended, now or in an earlier life. */
  everEnded: boolean;
}

/**
 * Follows every task through every change that was stored, and refuses what the state machine does not know. What is wrong
 * is collected: nothing must throw into the code under test.
 */
export class Ledger {
  readonly problems: string[] = [];
  readonly #entries = new Map<string, Entry>();

  /** In the order they were first seen. */
  get ids(): readonly string[] {
    return [...this.#entries.keys()];
  }

  record(id: string): TaskRecord | undefined {
    return this.#entries.get(id)?.record;
  }

  hasEnded(id: string): boolean {
    return this.#entries.get(id)?.everEnded ?? false;
  }

  asksRestart(id: string): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.restartsAsked++;
  }

  /** A settle was answered with a first end. */
  ended(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.ends++;
    if (entry.ends > entry.restartsAsked + 1) this.#say(id, `${entry.ends} ends in ${entry.restartsAsked + 1} lives`);
  }

  /** One step, as a trigger of the database saw it. */
  step(id: string, from: Status, to: Status): void {
    if (from !== to && !mayBecome(from, to)) this.#say(id, `became ${to} when it was ${from}`);
    if (!isFinal(from) || isFinal(to)) return;
    const entry = this.#entries.get(id);
    if (entry !== undefined && ++entry.restarts > entry.restartsAsked) this.#say(id, 'left its end without a restart');
  }

  /** The task as it is stored. @param exact steps are told one by one, so that restarts need not be guessed */
  see(record: TaskRecord, exact: boolean): void {
    const entry = this.#entries.get(record.id);
    if (entry === undefined) {
      this.#entries.set(record.id, {
        record,
        restartsAsked: 0,
        restarts: 0,
        restartsSeen: 0,
        ends: 0,
        everEnded: false,
      });
    } else this.#follow(entry, record, exact);
    const known = this.#entries.get(record.id);
    if (known !== undefined && isFinal(record.status)) known.everEnded = true;
    this.#check(record);
  }

  #follow(entry: Entry, record: TaskRecord, exact: boolean): void {
    const before = entry.record;
    entry.record = record;
    const steps = record.version - before.version;
    if (steps < 0) this.#say(record.id, `went back from version ${before.version} to ${record.version}`);
    else if (!reaches(before.status, record.status, steps)) {
      this.#say(record.id, `became ${record.status} when it was ${before.status}, in ${steps} steps`);
    }
    for (const key of ['attempt', 'lost', 'interrupted', 'snoozed'] as const) {
      if (record[key] < before[key]) this.#say(record.id, `${key} went from ${before[key]} to ${record[key]}`);
    }
    const changed = isFinal(before.status) && JSON.stringify(endOf(before)) !== JSON.stringify(endOf(record));
    if (changed && !exact) entry.restarts++;
    if (changed && entry.restarts > entry.restartsAsked) {
      this.#say(record.id, `its end changed without a restart: ${show(before)} became ${show(record)}`);
    }
    if (changed && exact && entry.restarts === entry.restartsSeen) this.#say(record.id, 'its end changed in no step');
    entry.restartsSeen = entry.restarts;
  }

  /** What holds of every record, whenever it is looked at. */
  #check(record: TaskRecord): void {
    const { id, status, attempt, finishedAt, error, runAt, queuedAt, workerId } = record;
    const final = isFinal(status);
    const wrong = (what: string): void => this.#say(id, `${what}: ${show(record)}`);
    if (final !== (finishedAt !== null)) wrong('finishedAt does not fit its status');
    if (status === 'failed' && error === null) wrong('failed without an error');
    if (status === 'succeeded' && error !== null) wrong('succeeded with an error');
    if (status !== 'succeeded' && record.result !== null) wrong('a result without success');
    if (status !== 'scheduled' && status !== 'waiting' && runAt !== null)
      wrong('runAt of a task that is not scheduled');
    if (status === 'queued' && queuedAt === null) wrong('queued at no time');
    if ((status === 'running' || status === 'cancelling') && (workerId === null || attempt === 0))
      wrong('run by nobody');
    if (status === 'cancelling' && record.cancelRequestedAt === null) wrong('cancelled by nobody');
    if (record.lost + record.interrupted + record.snoozed > attempt) wrong('more ends than attempts');
    const lives = (this.#entries.get(id)?.restartsAsked ?? 0) + 1;
    const counted = attempt - record.lost - record.interrupted - record.snoozed;
    if (counted > record.maxAttempts * lives) wrong(`${counted} counted attempts in ${lives} lives`);
  }

  #say(id: string, what: string): void {
    if (this.problems.length < 20) this.problems.push(`${id}: ${what}`);
  }
}

export function show(task: TaskRecord): string {
  const { status, version, attempt, lost, interrupted, snoozed, error, result } = task;
  const end = { error: error?.message ?? null, code: error?.code ?? null, result };
  return JSON.stringify({ status, version, attempt, lost, interrupted, snoozed, ...end });
}

/** What nothing but a restart may change once it is there. */
function endOf({ status, finishedAt, result, error, attempt }: TaskRecord): unknown {
  return isFinal(status) ? { status, finishedAt, result, error, attempt } : { status };
}

/** Whether the table leads from one status to another within so many changes, each of which may leave it as it is. */
function reaches(from: Status, to: Status, steps: number): boolean {
  let reached = new Set<Status>([from]);
  for (let step = 0; step < Math.min(steps, STATUSES.length) && !reached.has(to); step++) {
    reached = new Set(STATUSES.filter((next) => [...reached].some((one) => one === next || mayBecome(one, next))));
  }
  return reached.has(to);
}
