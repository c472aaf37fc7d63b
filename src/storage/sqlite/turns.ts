import type { TasklaneError } from '../../errors.ts';
import type { ClaimRequest } from '../storage.ts';
import type { Connection } from './connection.ts';
import { EarlyClaim } from './early-claim.ts';
import { isBusy, isHopeless, toStorageError } from './failures.ts';
import { pause, whenUnlocked } from './retry.ts';
import { Skew } from './skew.ts';
import { Transaction } from './transaction.ts';

/** The order of operations within a transaction: what frees comes first, and a claim sees what was inserted. */
export const RANK = { settle: 0, beat: 1, change: 2, insert: 3, claim: 4, rest: 5 } as const;
export type Rank = (typeof RANK)[keyof typeof RANK];

/** Rows of work after which a transaction is committed and the event loop may run. */
const ROWS = 1_500;
/** After so long a time of our own writing another connection gets its chance. */
const OWN_WRITING_MS = 10;
const CHANCE_MS = 2;

interface Operation {
  readonly rank: Rank;
  /** About how many rows it touches. */
  readonly rows: number;
  readonly work: (transaction: Transaction) => unknown;
  /** What a claim asks for. */
  readonly request: ClaimRequest | null;
  readonly resolve: (value: never) => void;
  readonly reject: (error: TasklaneError) => void;
}

/** What turns tell, and ask, of whoever spreads the news. */
export interface Told {
  readonly wantsChanges: boolean;
  committed(transaction: Transaction): void;
}

/**
 * Writes. What is asked for within one turn of the event loop shares one transaction, and nothing resolves before its
 * commit. An operation that fails does not fail its neighbours: all are undone and run again, each on its own.
 */
export class Turns {
  readonly #connection: Connection;
  readonly #told: Told;
  readonly #skew: Skew;
  #waiting: Operation[] = [];
  #running: Promise<void> | null = null;
  #writingMs = 0;
  #dataVersion: number;

  constructor(connection: Connection, told: Told) {
    this.#connection = connection;
    this.#told = told;
    this.#skew = new Skew(connection.database);
    this.#dataVersion = connection.dataVersion();
  }

  /**
   * Runs `work` in the next transaction. It may run more than once, so it must not change anything but the database.
   * @param request what it asks for, where it is a claim
   * @throws {StorageError}
   */
  ask<T>(
    rank: Rank,
    rows: number,
    work: (transaction: Transaction) => T,
    request: ClaimRequest | null = null,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ rank, rows, work, request, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing waits any more. */
  async drained(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  async #run(): Promise<void> {
    try {
      do {
        await new Promise(setImmediate);
        await this.#turn();
        await this.#giveOthersAChance();
      } while (this.#waiting.length > 0);
    } finally {
      this.#running = null;
    }
  }

  async #turn(): Promise<void> {
    let operations: readonly Operation[] = [];
    try {
      // Taken only with the lock: what was asked for while another connection held it joins in.
      await this.#commit(() => {
        if (operations.length === 0) operations = this.#take();
        return operations;
      });
    } catch (error) {
      const failure = toStorageError(error, this.#connection.file);
      if (operations.length === 0) operations = this.#takeAll();
      else if (operations.length > 1 && !isHopeless(failure.cause)) return await this.#eachAlone(operations);
      for (const { reject } of operations) reject(failure);
    }
  }

  async #eachAlone(operations: readonly Operation[]): Promise<void> {
    for (const operation of operations) {
      try {
        await this.#commit(() => [operation]);
      } catch (error) {
        operation.reject(toStorageError(error, this.#connection.file));
      }
    }
  }

  /** One transaction, from the lock to the answers. */
  #commit(choose: () => readonly Operation[]): Promise<void> {
    const { database, clock, file } = this.#connection;
    return whenUnlocked(clock, file, () => {
      database.run('begin immediate');
      const begun = clock.monotonic();
      const operations = choose();
      const now = clock.now();
      const { wantsChanges } = this.#told;
      const transaction = new Transaction(database, now, this.#skew, wantsChanges, earlyOf(operations));
      const values: unknown[] = [];
      let committing = false;
      try {
        this.#skew.begin(now);
        for (const { work } of operations) values.push(work(transaction));
        transaction.counts.store(database);
        this.#skew.store();
        committing = true;
        database.run('commit');
      } catch (error) {
        this.#skew.undone();
        if (database.inTransaction) database.run('rollback'); // a full disk has rolled back by itself
        throw isBusy(error) ? error : toStorageError(error, file, committing);
      } finally {
        this.#writingMs += clock.monotonic() - begun;
      }
      operations.forEach(({ resolve }, index) => {
        resolve(values[index] as never);
      });
      this.#told.committed(transaction);
    });
  }

  /** The oldest operations, as many as one transaction takes. */
  #take(): readonly Operation[] {
    let count = 0;
    let rows = 0;
    for (const operation of this.#waiting) {
      rows += operation.rows;
      if (count > 0 && rows > ROWS) break;
      count++;
    }
    const taken = this.#waiting.splice(0, count);
    return taken.length > 1 ? taken.sort((one, other) => one.rank - other.rank) : taken;
  }

  #takeAll(): readonly Operation[] {
    return this.#waiting.splice(0);
  }

  /** A process that writes in a loop would leave another to luck: the lock knows no queue. */
  async #giveOthersAChance(): Promise<void> {
    if (this.#writingMs < OWN_WRITING_MS) return;
    this.#writingMs = 0;
    const version = this.#connection.dataVersion();
    if (version === this.#dataVersion) return;
    this.#dataVersion = version;
    await pause(this.#connection.clock, CHANCE_MS);
  }
}

/** A claim that follows an insert, if there is one of each: of several it would not be clear who takes what. */
function earlyOf(operations: readonly Operation[]): EarlyClaim | null {
  let request: ClaimRequest | null = null;
  let inserts = 0;
  for (const operation of operations) {
    if (operation.rank === RANK.insert) inserts++;
    if (operation.request === null) continue;
    if (request !== null) return null;
    request = operation.request;
  }
  return request === null || inserts !== 1 ? null : new EarlyClaim(request);
}
