import type { Hint } from '../storage.ts';

/** More changed tasks than this in one transaction are told as "many did". */
const MANY = 1_000;

/** What a transaction did that others wait for: gathered while it runs, told once it is committed. */
export class Happened {
  readonly wantsChanges: boolean;
  #priority: number | null = null;
  #runAt: number | null = null;
  #cancelling = false;
  #control = false;
  #changed = new Set<string>();

  constructor(wantsChanges: boolean) {
    this.wantsChanges = wantsChanges;
  }

  /** A task can be claimed. */
  queued(priority: number): void {
    if (this.#priority === null || priority > this.#priority) this.#priority = priority;
  }

  /** A task was scheduled; epoch ms. */
  scheduled(runAt: number): void {
    if (this.#runAt === null || runAt < this.#runAt) this.#runAt = runAt;
  }

  /** A running task is to stop. */
  cancelling(): void {
    this.#cancelling = true;
  }

  /** Documents changed. */
  control(): void {
    this.#control = true;
  }

  /** A task changed, was made or is gone. */
  changed(id: string): void {
    if (this.wantsChanges) this.#changed.add(id);
  }

  /** Adds what happened in a part of the transaction. */
  merge(part: Happened): void {
    if (part.#priority !== null) this.queued(part.#priority);
    if (part.#runAt !== null) this.scheduled(part.#runAt);
    this.#cancelling ||= part.#cancelling;
    this.#control ||= part.#control;
    for (const id of part.#changed) this.#changed.add(id);
  }

  /** As hints, one of each kind; `changed` apart, which not every watcher wants. */
  hints(now: number): { readonly common: readonly Hint[]; readonly changes: readonly Hint[] } {
    const common: Hint[] = [];
    if (this.#priority !== null) common.push({ kind: 'queued', priority: this.#priority });
    if (this.#runAt !== null) common.push({ kind: 'due', ms: Math.max(0, this.#runAt - now) });
    if (this.#cancelling) common.push({ kind: 'cancelling' });
    if (this.#control) common.push({ kind: 'control' });
    const changes: Hint[] =
      this.#changed.size > MANY
        ? [{ kind: 'changed', id: null }]
        : Array.from(this.#changed, (id) => ({ kind: 'changed', id }));
    return { common, changes };
  }
}
