import type { Ended } from '../../flow/rules.ts';
import type { Status } from '../../task/status.ts';
import { CountChanges } from './counters.ts';
import type { Database } from './database.ts';
import type { EarlyClaim } from './early-claim.ts';
import { Happened } from './happened.ts';
import type { Stored } from './rows.ts';
import type { Skew } from './skew.ts';

/** A task with edges, as it is now, and the status it came from. */
export interface Moved {
  readonly stored: Pick<Stored, 'seq' | 'edges'> & { readonly task: Ended };
  readonly from: Status;
}

/** What the operations of one transaction share. Nothing in it may outlive a rollback. */
export class Transaction {
  readonly database: Database;
  /** One moment for all of it; epoch ms. */
  readonly now: number;
  readonly counts = new CountChanges();
  readonly skew: Skew;
  readonly happened: Happened;
  /** Tasks with edges that ended, or that wait no more: what follows from it is still to be done. */
  moved: Moved[] = [];
  /** Tasks in whose parent's progress something changed, by place; it is still to be shown. */
  readonly touched = new Set<number>();
  /** Parents whose progress is to be shown anew. */
  readonly grown = new Set<number>();
  /** The one claim that follows the one insert, where it is so. */
  readonly early: EarlyClaim | null;

  /** @param wantsChanges somebody wants to hear of every task that changed */
  constructor(database: Database, now: number, skew: Skew, wantsChanges: boolean, early: EarlyClaim | null = null) {
    this.database = database;
    this.now = now;
    this.skew = skew;
    this.early = early;
    this.happened = new Happened(wantsChanges);
  }

  /** Runs a part that may take itself back: what `work` wrote is undone when it answers `keep: false`. */
  part<T>(work: (part: Transaction) => { readonly keep: boolean; readonly value: T }): T {
    const inner = new Transaction(this.database, this.now, this.skew, this.happened.wantsChanges);
    inner.counts.copyFrom(this.counts);
    this.database.run('savepoint tasklane_part');
    const { keep, value } = work(inner);
    if (keep) {
      this.counts.copyFrom(inner.counts);
      this.happened.merge(inner.happened);
    } else {
      this.database.run('rollback to tasklane_part');
    }
    this.database.run('release tasklane_part');
    return value;
  }
}
