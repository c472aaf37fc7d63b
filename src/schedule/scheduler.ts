import type { Environment } from '../environment.ts';
import type { Runner } from '../run/runner.ts';
import { Serving } from '../serving.ts';
import type { TaskDraft } from '../storage/storage.ts';
import type { TaskRecord } from '../task/record.ts';
import type { Timer } from '../time/clock.ts';
import { maybeUnderWay, nowUnderWay, type Turn, turnOf, waitsFor } from './overlap.ts';
import { isDue, type Plan, planTicks } from './plan.ts';
import type { Move, ScheduledTasks } from './scheduled-tasks.ts';
import { allFound, type Found, SCHEDULE, type StoredSchedule } from './stored-schedule.ts';
import { timelineOf } from './timeline.ts';

/** Schedules that are dealt with at once: they share a transaction. */
const BATCH = 500;
/** At a start the rules of so many that are due next are read, so that no tick waits for a parser to load. */
const AHEAD = 100;
/** Late by up to this is not missed, in ms; nor by up to two sweeps, which a lost hint costs. */
const LATE_MS = 10_000;

/** A schedule that is due, and what to do about it. */
interface Due {
  readonly found: Found;
  readonly plan: Plan;
}

/** What is done about it. */
interface Making extends Move, Due {
  readonly turn: Turn;
}

/**
 * Makes the tasks of the ticks that come. Every process that runs tasks has one, and all of them look at the same documents:
 * whoever stores a tick's tasks moves the schedule in the same transaction, so the others find it moved. There is one timer,
 * for the schedule that is due next.
 */
export class Scheduler {
  readonly #environment: Environment;
  readonly #runner: Runner;
  readonly #tasks: ScheduledTasks;
  readonly #serving: Serving;
  readonly #cancel: (taskId: string) => Promise<void>;
  #since = Number.POSITIVE_INFINITY;
  #timer: Timer | null = null;
  #unwatch: (() => void) | null = null;
  #passing: Promise<void> | null = null;
  #again = false;
  #stopped = false;

  /** @param cancel ends a task whose schedule wants its place; it need not be there any more */
  constructor(
    environment: Environment,
    runner: Runner,
    tasks: ScheduledTasks,
    cancel: (taskId: string) => Promise<void>,
  ) {
    this.#environment = environment;
    this.#runner = runner;
    this.#tasks = tasks;
    this.#serving = new Serving(environment);
    this.#cancel = cancel;
  }

  /** So that no tick waits for a parser. @throws {StorageError} */
  async prepare(): Promise<void> {
    const { storage } = this.#environment;
    for (const { schedule } of allFound(await storage.dueDocuments(SCHEDULE, Number.POSITIVE_INFINITY, AHEAD))) {
      await timelineOf(schedule.rule).catch(() => {}); // told when it is due
    }
  }

  /** Makes the tasks of ticks from now on. */
  start(): void {
    if (this.#stopped) return;
    const { storage, clock } = this.#environment;
    this.#since = clock.now();
    this.#unwatch = storage.watch((hint) => {
      if (hint.kind === 'control') this.look();
    });
    this.look();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unwatch?.();
    this.#timer?.clear();
    await this.#passing;
  }

  /** Something may be due, or earlier than before. */
  look(): void {
    if (this.#stopped || !this.#runner.isRunning) return;
    this.#again = true;
    this.#passing ??= this.#pass().finally(() => {
      this.#passing = null;
    });
  }

  async #pass(): Promise<void> {
    let ms = this.#environment.settings.sweepMs;
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        ms = await this.#fireDue();
      } catch (error) {
        if (!this.#stopped) this.#environment.events.error(error);
      }
    }
    if (this.#stopped) return;
    this.#timer?.clear();
    this.#timer = this.#environment.clock.after(ms, () => this.look(), true);
  }

  /** @returns when to look again, in ms: no later than a sweep, for clocks jump and hints get lost. @throws {StorageError} */
  async #fireDue(): Promise<number> {
    const { storage, clock, settings } = this.#environment;
    for (let full = false; !full; ) {
      const documents = await storage.dueDocuments(SCHEDULE, clock.now(), BATCH);
      if (documents.length === 0) break;
      full = await this.#fire(allFound(documents));
      if (this.#stopped || full) return settings.sweepMs;
    }
    const [next] = await storage.dueDocuments(SCHEDULE, Number.POSITIVE_INFINITY, 1);
    if (next === undefined) return settings.sweepMs;
    for (const { schedule } of allFound([next])) await timelineOf(schedule.rule).catch(() => {});
    return Math.min(settings.sweepMs, Math.max(0, (next.dueAt ?? 0) - clock.now()));
  }

  /** @returns whether there are as many tasks as there may be. @throws {StorageError} */
  async #fire(schedules: readonly Found[]): Promise<boolean> {
    const plans: Due[] = [];
    for (const found of schedules) {
      const plan = await this.#plan(found);
      if (plan !== null) plans.push({ found, plan });
    }
    const earlier = await this.#earlier(plans);
    const moves: Making[] = [];
    for (const { found, plan } of plans) {
      const { overlap, maxRuns, runs } = found.schedule;
      const tasks = maybeUnderWay(found.schedule).flatMap((id) => earlier.get(id) ?? []);
      const most = maxRuns === null ? Number.POSITIVE_INFINITY : maxRuns - runs;
      try {
        moves.push(this.#move(found, plan, turnOf(overlap, plan.ticks, tasks, most), most));
      } catch (error) {
        await this.#giveUp(found, error);
      }
    }
    // What makes tasks goes together: it is cheaper, and they start with the same transaction.
    const making = moves.filter(({ drafts }) => drafts.length > 0);
    const others = moves.filter(({ drafts }) => drafts.length === 0);
    const full = await Promise.all([making, ...others.map((move) => [move])].map((group) => this.#carryOut(group)));
    return full.includes(true);
  }

  async #plan(found: Found): Promise<Plan | null> {
    const { key, schedule } = found;
    const { clock, settings } = this.#environment;
    const now = clock.now();
    if (!isDue(key, schedule, now)) {
      // The clock was put back; or another version reckons otherwise, and it would be found due without end.
      await this.#tasks.store([{ found, schedule, drafts: [] }]);
      return null;
    }
    try {
      const next = await timelineOf(schedule.rule);
      const lateMs = Math.max(LATE_MS, 2 * settings.sweepMs);
      return planTicks(key, schedule, next, { now, since: this.#since, lateMs });
    } catch (error) {
      await this.#giveUp(found, error);
      return null;
    }
  }

  /** What could be read once and cannot now, such as what a later version wrote: it must not stand in the way of the others. */
  async #giveUp(found: Found, error: unknown): Promise<void> {
    const pausedAt = this.#environment.clock.now();
    const schedule = { ...found.schedule, pausedAt, settingsVersion: found.version + 1 };
    if ((await this.#tasks.store([{ found, schedule, drafts: [] }])) !== 'stored') return;
    const why = error instanceof Error ? error.message : String(error);
    this.#warn('schedule_failed', found, `cannot be computed, and is paused: ${why}`);
  }

  /** The tasks that schedules care about. */
  async #earlier(plans: readonly Due[]): Promise<ReadonlyMap<string, TaskRecord>> {
    const ids = plans.flatMap(({ found }) => maybeUnderWay(found.schedule));
    if (ids.length === 0) return new Map();
    const tasks = await this.#environment.storage.get(ids);
    return new Map(tasks.flatMap((task) => (task === null ? [] : [[task.id, task]])));
  }

  #move(found: Found, plan: Plan, turn: Turn, most: number): Making {
    const drafts: TaskDraft[] = [];
    const made: string[] = [];
    for (const tick of turn.ticks) {
      const draft = this.#tasks.draft(found, tick, { after: waitsFor(turn, made) });
      drafts.push(draft);
      made.push(draft.record.id);
    }
    const schedule: StoredSchedule = {
      ...found.schedule,
      nextTick: made.length < most ? plan.next : null, // what `overlap` leaves out is no run
      lastTick: plan.last,
      lastTaskId: made.at(-1) ?? found.schedule.lastTaskId,
      underWay: nowUnderWay(found.schedule.overlap, [...turn.busy, ...made]),
      runs: found.schedule.runs + made.length,
    };
    return { found, plan, turn, schedule, drafts };
  }

  /** What another process moved meanwhile is still due, or is not. @returns whether there are as many tasks as may be */
  async #carryOut(moves: readonly Making[]): Promise<boolean> {
    const [first] = moves;
    if (first === undefined) return false;
    for (const { turn } of moves) for (const id of turn.cancel) await this.#cancel(id);
    const answer = await this.#tasks.store(moves);
    if (answer === 'stored') for (const move of moves) await this.#report(move);
    if (answer !== 'full') return false;
    if (moves.length === 1) {
      this.#warn('schedule_delayed', first.found, 'waits: there are `maxQueued` tasks already.');
      return true;
    }
    const each = await Promise.all(moves.map(({ found }) => this.#fire([found]))); // for some there may be room
    return each.includes(true);
  }

  /** What whoever runs this should know although nothing failed. */
  async #report({
    found,
    plan: { ticks, next, dropped },
    turn,
    schedule: { handler, nextTick },
  }: Making): Promise<void> {
    if (dropped !== null) {
      const { from, to } = dropped;
      const span = `${new Date(from).toISOString()} to ${new Date(to).toISOString()}`;
      const { missed } = found.schedule;
      this.#warn(
        'schedule_missed',
        found,
        `missed ticks from ${span}; \`missed: '${missed}'\` made ${turn.ticks.length} tasks.`,
      );
    }
    const isOver = nextTick === null && next !== null; // the others are no run of it
    if (turn.ticks.length < ticks.length && !isOver) {
      const left = ticks.length - turn.ticks.length;
      this.#warn('schedule_skipped', found, `skipped ${left} ticks: an earlier task has not ended.`);
    }
    const runsHere = this.#environment.registry.find(handler)?.definition.run !== undefined;
    if (turn.ticks.length === 0 || runsHere || (await this.#serving.has(handler))) return;
    this.#warn('handler_unserved', found, `waits: no live process runs the tasks of handler ${handler}.`);
  }

  #warn(code: string, { key, schedule }: Found, what: string): void {
    this.#environment.events.warn(code, `Schedule ${key} ${what}`, { id: null, handler: schedule.handler });
  }
}
