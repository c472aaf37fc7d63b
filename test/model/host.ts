import {
  type AnyTask,
  type Clock,
  defineTask,
  Snooze,
  type SubmittedTask,
  type TaskContext,
  TaskManager,
  type TaskStorage,
} from 'tasklane';
import { gate } from '../support/gate.ts';
import type { Act, HandlerName, Slot, Submit } from './commands.ts';
import { Line, type Seen } from './line.ts';

/** What hosts share: the world they live in. */
export interface HostWorld {
  readonly clock: Clock;
  /** All handlers return at once from now on. */
  readonly ending: boolean;
  seen(seen: Seen): Promise<void>;
  /** A handler starts. @returns the number of this run of the task, from 0 */
  runs(host: Host, context: TaskContext): number;
  /** Resolves when this run is to end although it would hang. */
  letGo(taskId: string): Promise<void>;
  problem(what: string): void;
}

/** A process, as far as a manager can tell: its own timers and its own line to the storage, which stop and die with it. */
export class Host {
  readonly manager: TaskManager;
  readonly storage: TaskStorage;
  readonly line: Line;
  readonly slot: Slot;
  state: 'alive' | 'stopped' | 'dead' | 'closing' | 'closed' = 'alive';
  /** Handlers that this manager has paused and nobody has resumed since. */
  readonly paused = new Set<HandlerName | null>();
  /** By task: this manager has cancelled or settled it at this attempt, so that no such attempt may start here. */
  readonly over = new Map<string, number>();
  readonly results: { readonly id: string; readonly settled: Promise<void>; done: boolean }[] = [];
  readonly #world: HostWorld;
  readonly #timers = new Map<() => void, number>();
  #late: (() => void)[] = [];

  /** @param listens to all events: without, managers read fewer records */
  constructor(world: HostWorld, slot: Slot, storage: TaskStorage, listens: boolean) {
    this.slot = slot;
    this.storage = storage;
    this.#world = world;
    this.line = new Line({ clock: world.clock, seen: (seen) => world.seen(seen), died: () => this.die() });
    this.manager = new TaskManager({
      storage: this.line.to(storage),
      handlers: this.#handlers(),
      clock: this.#clock(),
      concurrency: 3,
      lease: '10s',
      sweep: '2s',
      cancelGrace: '2s',
      maxLost: 2,
      maxSnoozes: 2,
    }) as unknown as TaskManager;
    if (!listens) return;
    this.manager.on('error', () => {});
    this.manager.on('warning', () => {});
    this.manager.on('task:progress', () => {});
  }

  get lives(): boolean {
    return this.state === 'alive' || this.state === 'stopped';
  }

  die(): void {
    if (this.state === 'closed') return;
    this.state = 'dead';
    this.line.die();
  }

  /** As after a SIGSTOP. */
  stop(): void {
    if (this.state !== 'alive') return;
    this.state = 'stopped';
    this.line.stop();
  }

  wake(): void {
    if (this.state !== 'stopped') return;
    this.state = 'alive';
    this.line.wake();
    for (const callback of this.#late.splice(0)) callback();
  }

  async close(timeout: number): Promise<void> {
    this.wake();
    if (this.state !== 'alive') return; // it died of what it had slept through
    this.state = 'closing';
    return this.manager.close({ timeout }).finally(() => {
      if (this.state === 'closing') this.state = 'closed';
    });
  }

  /** Follows a task that was submitted here to its end. */
  follows(task: SubmittedTask): void {
    const result = { id: task.id, done: false, settled: Promise.resolve() };
    const done = (): void => {
      result.done = true;
    };
    result.settled = task.result().then(done, done);
    this.results.push(result);
  }

  /** For how many ms each timer was set that neither came nor was taken back. */
  get timers(): readonly number[] {
    return [...this.#timers.values()];
  }

  #clock(): Clock {
    const { clock } = this.#world;
    return {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      after: (ms, callback) => {
        const timer = clock.after(ms, () => {
          if (this.state === 'stopped') this.#late.push(come);
          else come();
        });
        const clear = (): void => {
          timer.clear();
          this.#timers.delete(clear);
          const late = this.#late.indexOf(come);
          if (late >= 0) this.#late.splice(late, 1);
        };
        const come = (): void => {
          this.#timers.delete(clear);
          if (this.state !== 'dead') callback();
        };
        this.#timers.set(clear, ms);
        return { clear };
      },
    };
  }

  #handlers(): readonly AnyTask[] {
    const run = (input: unknown, context: TaskContext): unknown => this.#run(input as Submit, context);
    return [
      defineTask({
        name: 'work',
        timeout: '8s',
        retry: { maxAttempts: 3, backoff: { type: 'fixed', delay: '1s', jitter: 0 } },
        run,
      }),
      defineTask({ name: 'quick', run }),
      defineTask({
        name: 'narrow',
        concurrency: 1,
        maxLost: 0,
        cancelGrace: 500,
        retry: { maxAttempts: 2, backoff: () => 0 },
        run,
      }),
    ] as unknown as readonly AnyTask[];
  }

  #run({ acts }: Submit, context: TaskContext): unknown {
    const nth = this.#world.runs(this, context);
    const act: Act = acts[Math.min(nth, acts.length - 1)] ?? { do: 'return' };
    const value = { attempt: context.task.attempt };
    if (this.#world.ending || act.do === 'return') return value;
    if (act.do === 'throw') throw new Error(`attempt ${context.task.attempt}`);
    if (act.do === 'snooze') throw new Snooze(act.ms);
    return this.#linger(act, context).then(() => value);
  }

  async #linger(act: Act, context: TaskContext): Promise<void> {
    const { signal, task } = context;
    const let_go = this.#world.letGo(task.id);
    if (act.do === 'ignore') return let_go;
    if (act.do === 'report') {
      context.progress({ processed: 1, total: 2, message: 'half' });
      context.log('said');
      await context.checkpoint({ at: task.attempt });
      context.progress({ processed: 2 });
      return undefined;
    }
    const over = gate();
    signal.addEventListener('abort', () => over.fail(signal.reason), { once: true });
    if (act.do === 'sleep') this.#sleep(act.ms, over.open);
    return Promise.race([over.opened, let_go]);
  }

  #sleep(ms: number, wake: () => void): void {
    this.#world.clock.after(ms, () => {
      if (this.state === 'stopped') this.#late.push(wake);
      else if (this.state !== 'dead') wake();
    });
  }
}
