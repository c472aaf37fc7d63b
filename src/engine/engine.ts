/** What an engine needs to know of a claimed task. */
export interface Claimed {
  readonly task: { readonly id: string; readonly handler: string; readonly priority: number };
}

/** The manager's side, as an engine sees it. No method rejects: a storage that is down is retried inside. */
export interface EngineHost {
  /** Handlers that may run at once. */
  readonly concurrency: number;
  /**
   * Takes what can run here, in the storage's order: for the slots that are free, and ahead of them while handlers are fast.
   * Empty: nothing can be taken now; `wake` follows when that changes.
   * @param free slots that wait for work
   */
  claim(free: number): Promise<readonly Claimed[]>;
  /** Resolves when the slot is free again, which is before the outcome is stored; undefined: it is free already. */
  run(claim: Claimed): Promise<void> | undefined;
}

/**
 * Decides when and where a claimed task runs. It owns no state that the storage lacks: what it forgets is claimed again.
 * Today there is one; one that is pushed ids by a broker claims by them and ends in the same `run`.
 */
export interface Engine {
  /** There may be more to claim, or more slots. `priority`: of what came, null when unknown. Cheap, any number of times. */
  wake(priority: number | null): void;
  /** Nothing more is claimed or handed over. Waits for no handler. Twice: no error. */
  stop(): void;
}
