import {
  type Beat,
  type BeatAnswer,
  type Clock,
  type SettleAnswer,
  StorageError,
  type TaskRecord,
  type TaskStorage,
} from 'tasklane';
import { gate } from '../support/gate.ts';
import type { Call, Fault } from './commands.ts';

/** What each method counts as; the others are left alone. */
const CALL_OF: Readonly<Partial<Record<keyof TaskStorage, Call>>> = {
  insert: 'insert',
  claim: 'claim',
  beat: 'beat',
  settle: 'settle',
  change: 'change',
  takeBack: 'takeBack',
  cancelling: 'read',
  get: 'read',
  list: 'read',
  count: 'read',
  counts: 'read',
  nextDue: 'read',
  workers: 'read',
  attempts: 'read',
  prune: 'document',
  documents: 'document',
  putDocument: 'document',
  deleteDocument: 'document',
};

/** Methods whose answers carry, or whose arguments name, the tasks that they may have changed. */
export interface Seen {
  readonly method: string;
  readonly args: readonly unknown[];
  readonly answer: unknown;
}

export interface LineHost {
  /** Does not stop with the process. */
  readonly clock: Clock;
  /** A call has had its effect. */
  seen(seen: Seen): Promise<void>;
  /** The process of this line died at a call. */
  died(): void;
}

/**
 * The line between one manager and its storage. Calls can fail, before or after they had their effect, can be slow, and wait
 * while the process stands still; once it is dead nothing comes back.
 */
export class Line {
  /** Faults that came true. */
  struck = 0;
  /** Claims whose answers are on their way. */
  claiming = 0;
  /** Calls that the storage has not answered. */
  busy = 0;
  readonly #host: LineHost;
  readonly #unwatch = new Set<() => void>();
  #armed: { readonly fault: Fault; left: number }[] = [];
  #standstill = gate();
  #stopped = false;
  #dead = false;

  constructor(host: LineHost) {
    this.#host = host;
  }

  arm(fault: Fault): void {
    this.#armed.push({ fault, left: fault.skip });
  }

  disarm(): void {
    this.#armed = [];
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#standstill = gate();
  }

  wake(): void {
    if (this.#dead) return;
    this.#stopped = false;
    this.#standstill.open();
  }

  /** For good. */
  die(): void {
    this.stop();
    this.#dead = true;
    for (const unwatch of this.#unwatch) unwatch();
  }

  /** The storage, at the end of this line. */
  to(storage: TaskStorage): TaskStorage {
    return new Proxy(storage, {
      get: (target, key) => {
        const method: unknown = Reflect.get(target, key);
        if (typeof method !== 'function') return method;
        // Its timers are its own: those of a file outlive the process that has it open.
        if (key === 'open') return () => target.open({ clock: this.#host.clock });
        if (key === 'watch') return (...args: Parameters<TaskStorage['watch']>) => this.#watch(target, args);
        const call = CALL_OF[key as keyof TaskStorage];
        return (...args: unknown[]): unknown => {
          const run = (): Promise<unknown> => Reflect.apply(method, target, args);
          return call === undefined ? this.#plain(run) : this.#call(String(key), call, args, run);
        };
      },
    });
  }

  #watch(target: TaskStorage, [onHint, options]: Parameters<TaskStorage['watch']>): () => void {
    const unwatch = target.watch((hint) => {
      if (!this.#stopped) onHint(hint); // hints may be lost
    }, options);
    this.#unwatch.add(unwatch);
    return unwatch;
  }

  async #plain(run: () => Promise<unknown>): Promise<unknown> {
    while (this.#stopped) await this.#standstill.opened;
    return run();
  }

  async #call(method: string, call: Call, args: readonly unknown[], run: () => Promise<unknown>): Promise<unknown> {
    if (call === 'claim') this.claiming++;
    try {
      return await this.#strike(method, this.#due(call), args, run);
    } finally {
      if (call === 'claim') this.claiming--;
    }
  }

  async #strike(
    method: string,
    fault: Fault | null,
    args: readonly unknown[],
    run: () => Promise<unknown>,
  ): Promise<unknown> {
    if (fault?.kind === 'dies') this.#host.died();
    while (this.#stopped) await this.#standstill.opened;
    if (fault?.kind === 'slow') await this.#pass(fault.ms);
    if (fault?.kind === 'fails') throw new StorageError(`${method}: a fault before it`, { retryable: true });
    this.busy++;
    let answer: unknown;
    try {
      answer = await run();
      await this.#host.seen({ method, args, answer });
    } finally {
      this.busy--;
    }
    if (fault?.kind === 'dies after') this.#host.died();
    if (fault?.kind === 'slow after') await this.#pass(fault.ms);
    while (this.#stopped) await this.#standstill.opened;
    if (fault?.kind !== 'fails after') return answer;
    throw new StorageError(`${method}: a fault after it`, { retryable: true, ambiguous: true });
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#host.clock.after(ms, resolve);
    });
  }

  #due(call: Call): Fault | null {
    const at = this.#armed.findIndex(({ fault, left }) => (fault.call ?? call) === call && left === 0);
    for (const armed of this.#armed) if ((armed.fault.call ?? call) === call && armed.left > 0) armed.left--;
    if (at < 0) return null;
    const [armed] = this.#armed.splice(at, 1);
    this.struck++;
    return armed?.fault ?? null;
  }
}

/** Ids of the tasks that a call may have changed. */
export function touched({ method, args, answer }: Seen): readonly string[] {
  const first = args[0] as readonly unknown[];
  switch (method) {
    case 'insert':
      return (first as { record: TaskRecord }[]).map(({ record }) => record.id);
    case 'claim': {
      const { claims, queued, expired } = answer as {
        claims: { task: TaskRecord }[];
        queued: TaskRecord[];
        expired: TaskRecord[];
      };
      return [...claims.map(({ task }) => task), ...queued, ...expired].map(({ id }) => id);
    }
    case 'beat':
      return (args[0] as { reports: { lease: { taskId: string } }[] }).reports.map(({ lease }) => lease.taskId);
    case 'settle':
      return (first as { lease: { taskId: string } }[]).map(({ lease }) => lease.taskId);
    case 'change':
      return (first as { taskId: string }[]).map(({ taskId }) => taskId);
    case 'takeBack':
      return (answer as TaskRecord[]).map(({ id }) => id);
    default:
      return [];
  }
}

/** The tasks that a settle ended for good, and did not find ended already. */
export function endedBy({ method, args, answer }: Seen): readonly string[] {
  if (method !== 'settle') return [];
  const settlements = args[0] as { lease: { taskId: string } }[];
  return (answer as SettleAnswer[]).flatMap((one, index) => {
    const id = settlements[index]?.lease.taskId;
    const final = one.settled && !one.repeated && ['succeeded', 'failed', 'cancelled'].includes(one.status);
    return final && id !== undefined ? [id] : [];
  });
}

/** The tasks whose start a beat stored. */
export function startedBy({ method, args, answer }: Seen): readonly string[] {
  if (method !== 'beat') return [];
  const { reports } = args[0] as Beat;
  const answers = (answer as BeatAnswer).reports;
  return reports.flatMap(({ lease, startedAt }, index) =>
    startedAt !== undefined && answers[index]?.held ? [lease.taskId] : [],
  );
}
