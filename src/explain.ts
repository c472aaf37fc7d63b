import type { Environment } from './environment.ts';
import { OptionError, TaskNotFoundError } from './errors.ts';
import type { Relations } from './flow/relations.ts';
import type { Handler } from './handler/registry.ts';
import type { Lifecycle } from './lifecycle.ts';
import { Pauses } from './run/pauses.ts';
import type { Runner } from './run/runner.ts';
import type { TaskProgress, TaskRecord } from './task/record.ts';
import type { Status } from './task/status.ts';

/** One reason why a task does not run. `message` is for people, `code` for programs. */
export type IdleReason = Readonly<{ message: string }> &
  (
    | Readonly<{ code: 'held' }>
    /** Epoch ms. A delay, a retry, a snooze or a second loss. */
    | Readonly<{ code: 'run_at'; runAt: number }>
    /** `taskIds`: the first few of those that have not ended. */
    | Readonly<{ code: 'waits_for'; taskIds: readonly string[] }>
    /** `handler`: null when all are paused. */
    | Readonly<{ code: 'paused'; handler: string | null }>
    /** No live process has the handler. */
    | Readonly<{ code: 'unserved' }>
    /** Of this process; `of`: whose limit it is. */
    | Readonly<{ code: 'slots_taken'; of: 'manager' | 'handler'; used: number; limit: number }>
    /** This process claims nothing at present. */
    | Readonly<{ code: 'not_claiming' }>
    /** Nothing is in its way: others go first, or it is about to start. */
    | Readonly<{ code: 'turn' }>
  );

/** Who runs a task. */
export type TaskWorker = Readonly<{
  id: string;
  /** Where the process is; null for one that was declared dead. */
  host: string | null;
  pid: number | null;
  /** Epoch ms: when this process last saw it do something. Beats of others are looked for every `sweep`. */
  lastSeenAt: number;
}>;

/** Why a task does not run, or who runs it. */
export type Explanation = Readonly<{
  taskId: string;
  handler: string;
  status: Status;
  /** Empty while it runs, and once it has ended. */
  reasons: readonly IdleReason[];
  /** Null when it does not run. */
  worker: TaskWorker | null;
  progress: TaskProgress | null;
}>;

/** Of what a task waits for. */
const MAX_NAMED = 20;

/** Answers why a task does not run, or who runs it. */
export class Explainer {
  readonly #environment: Environment;
  readonly #lifecycle: Lifecycle;
  readonly #runner: Runner;
  readonly #relations: Relations;

  constructor(environment: Environment, lifecycle: Lifecycle, runner: Runner, relations: Relations) {
    this.#environment = environment;
    this.#lifecycle = lifecycle;
    this.#runner = runner;
    this.#relations = relations;
  }

  /** @throws {TaskNotFoundError} @throws {StorageError} */
  async explain(id: string): Promise<Explanation> {
    if (typeof id !== 'string') throw new OptionError('id', 'text', id);
    await this.#lifecycle.readable();
    const [task] = await this.#environment.storage.get([id], { archived: true });
    if (task === undefined || task === null) throw new TaskNotFoundError(id);
    const { status, handler, progress, workerId } = task;
    const runs = status === 'running' || status === 'cancelling';
    return {
      taskId: id,
      handler,
      status,
      reasons: await this.#reasons(task),
      worker: runs && workerId !== null ? await this.#worker(workerId, task) : null,
      progress,
    };
  }

  async #reasons(task: TaskRecord): Promise<readonly IdleReason[]> {
    const { status, runAt } = task;
    if (status === 'waiting') return [await this.#waitsFor(task.id)];
    if (status === 'scheduled') {
      if (runAt === null) return [{ code: 'held', message: 'It is held until somebody runs it.' }];
      return [{ code: 'run_at', runAt, message: `It is not due before ${new Date(runAt).toISOString()}.` }];
    }
    if (status !== 'queued') return [];
    const reasons = await this.#reasonsOfQueued(task.handler);
    if (reasons.length > 0) return reasons;
    return [{ code: 'turn', message: 'Nothing is in its way: others go first, or it is about to start.' }];
  }

  async #waitsFor(id: string): Promise<IdleReason> {
    const taskIds = await this.#relations.waitsFor(id, MAX_NAMED);
    const others = taskIds.length === 0 ? 'other tasks' : taskIds.join(', ');
    const more = taskIds.length < MAX_NAMED ? '' : ', maybe more,';
    return { code: 'waits_for', taskIds, message: `It waits for ${others}${more} to end.` };
  }

  async #reasonsOfQueued(name: string): Promise<readonly IdleReason[]> {
    const reasons: IdleReason[] = [];
    const { storage, registry } = this.#environment;
    const pauses = new Pauses(storage); // as they are now: the runner's own are read again only when a hint comes
    await pauses.read();
    if (pauses.holds(name)) {
      const handler = pauses.holdsAll ? null : name;
      const what = handler === null ? 'All handlers are' : `Handler ${name} is`;
      reasons.push({ code: 'paused', handler, message: `${what} paused.` });
    }
    const workers = await storage.workers();
    if (!workers.some(({ info }) => info?.handlers.includes(name))) {
      reasons.push({ code: 'unserved', message: `No live process runs the tasks of handler ${name}.` });
    }
    const handler = registry.find(name);
    if (this.#runner.isRunning && handler?.definition.run !== undefined) reasons.push(...this.#reasonsHere(handler));
    return reasons;
  }

  #reasonsHere(handler: Handler): readonly IdleReason[] {
    const reasons: IdleReason[] = [];
    for (const { of, used, limit } of this.#runner.load(handler)) {
      if (used < limit) continue;
      const whose = of === 'manager' ? 'this process' : `handler ${handler.name} in this process`;
      reasons.push({ code: 'slots_taken', of, used, limit, message: `All ${limit} slots of ${whose} are taken.` });
    }
    if (this.#runner.isSetApart) {
      const message = 'Here a task that was lost too often to be lost again runs alone, for a minute at most.';
      reasons.push({ code: 'not_claiming', message });
    }
    const { problems } = this.#runner;
    if (problems.length > 0) reasons.push({ code: 'not_claiming', message: `Here ${problems.join(', ')}.` });
    return reasons;
  }

  async #worker(id: string, task: TaskRecord): Promise<TaskWorker> {
    const { storage, clock } = this.#environment;
    const info = (await storage.workers()).find((worker) => worker.id === id)?.info ?? null;
    const silentMs = id === this.#runner.workerId ? 0 : this.#lifecycle.silenceOf(id);
    const seenAt = silentMs === null ? 0 : clock.now() - Math.round(silentMs);
    return { id, host: info?.host ?? null, pid: info?.pid ?? null, lastSeenAt: Math.max(seenAt, task.updatedAt) };
  }
}
