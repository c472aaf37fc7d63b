import { checkKeys } from '../../bag.ts';
import { OptionError, StorageError } from '../../errors.ts';
import type { JsonValue } from '../../task/json.ts';
import type { LogLine, TaskAttempt, TaskRecord } from '../../task/record.ts';
import { type Clock, systemClock } from '../../time/clock.ts';
import type {
  Beat,
  BeatAnswer,
  Change,
  ChangeAnswer,
  ClaimAnswer,
  ClaimRequest,
  Edge,
  EdgeQuery,
  Hint,
  InsertAnswer,
  Lease,
  LogLimit,
  SettleAnswer,
  Settlement,
  StorageCapabilities,
  StoredDocument,
  StoredPage,
  StoredQuery,
  TakenBack,
  TaskDraft,
  TaskStorage,
} from '../storage.ts';
import { changeTasks } from './change.ts';
import { claimTasks } from './claim.ts';
import { Connection } from './connection.ts';
import { countTasks } from './count.ts';
import { type HandlerCount, readCounts } from './counters.ts';
import type { Database } from './database.ts';
import * as documents from './documents.ts';
import { readEdges } from './edges.ts';
import { readAttempts, readTaskLog } from './history.ts';
import { type InsertOptions, insertDrafts } from './insert.ts';
import { listTasks } from './list.ts';
import { FileNews } from './news.ts';
import { type Pruned, prune, type Retention, removeTasks } from './remove.ts';
import { COLUMNS, toRecord } from './rows.ts';
import { settleTasks } from './settle.ts';
import type { Transaction } from './transaction.ts';
import { RANK, type Rank, Turns } from './turns.ts';
import { nextRunAt, oldestQueuedAt } from './waits.ts';
import { beat, type ListedWorker, readCancelling, readWorkers, takeBack } from './workers.ts';

/** How a file is kept. */
export interface SqliteStorageOptions {
  /**
   * `normal`, the default: what was acknowledged outlives the death of any process. `full`: also a loss of power, at some
   * 10 times the price of a lone commit.
   */
  readonly synchronous?: 'normal' | 'full' | undefined;
}

const IN_MEMORY = ':memory:';
/** Every so many prunes all final tasks are looked through. */
const LOOK_AGAIN = 100;

/** What is open: the file, and who writes to it. */
interface Open {
  readonly connection: Connection;
  readonly turns: Turns;
}

/**
 * Keeps tasks in a SQLite file, with the runtime's own `node:sqlite`. Several processes of one machine may open the same
 * file, and it may hold an app's own tables: ours begin with `tasklane_`. `:memory:` keeps them as long as this object lives.
 */
export class SqliteStorage implements TaskStorage {
  readonly capabilities: StorageCapabilities;
  readonly #path: string;
  readonly #synchronous: 'normal' | 'full';
  readonly #news = new FileNews();
  #users = 0;
  #prunes = 0;
  #pruned: Pruned = new Map();
  #open: Open | null = null;
  /** What `:memory:` holds stays for as long as this object does. */
  #memory: Database | null = null;
  /** The opening or closing that is under way, or was the last. */
  #change: Promise<void> = Promise.resolve();

  /**
   * @param path of the file; it is made by `open` where it is missing, its folder is not
   * @throws {OptionError}
   */
  constructor(path: string, options: SqliteStorageOptions = {}) {
    if (typeof path !== 'string' || path === '' || path.startsWith('file:') || path.includes('\0')) {
      throw new OptionError('path', "the path of a file (no URL), or ':memory:'", path);
    }
    checkKeys('options', options, ['synchronous']);
    const { synchronous = 'normal' } = options;
    if (synchronous !== 'normal' && synchronous !== 'full') {
      throw new OptionError('synchronous', "'normal' or 'full'", synchronous);
    }
    this.#path = path;
    this.#synchronous = synchronous;
    const onDisk = path !== IN_MEMORY;
    this.capabilities = { durable: onDisk, shared: onDisk, transactions: false };
  }

  /** @throws {StorageError} a `StorageNewerError`, `StorageCorruptError`, `StorageLockedError`, ... */
  async open({ clock = systemClock }: { readonly clock?: Clock | undefined } = {}): Promise<void> {
    this.#users++;
    try {
      await this.#next(async () => {
        if (this.#open !== null) return;
        const options = { synchronous: this.#synchronous, clock, database: this.#memory };
        const connection = await Connection.open(this.#path, options);
        this.#prunes = 0;
        this.#open = { connection, turns: new Turns(connection, this.#news) };
        this.#news.start(connection);
      });
    } catch (error) {
      this.#users--;
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.#users === 0) return await this.#change.catch(() => {});
    this.#users--;
    await this.#next(async () => {
      const open = this.#open;
      if (this.#users > 0 || open === null) return;
      this.#open = null;
      this.#news.stop();
      await open.turns.drained();
      if (this.capabilities.durable) open.connection.close();
      else this.#memory = open.connection.database;
    });
  }

  insert(
    drafts: readonly TaskDraft[],
    options: InsertOptions & { readonly tx?: unknown } = {},
  ): Promise<readonly InsertAnswer[]> {
    return this.#write(RANK.insert, drafts.length + (options.documents?.length ?? 0), (turn) =>
      insertDrafts(turn, drafts, options),
    );
  }

  claim(request: ClaimRequest): Promise<ClaimAnswer> {
    return this.#write(RANK.claim, request.limit / 2, (turn) => claimTasks(turn, request), request);
  }

  beat(report: Beat): Promise<BeatAnswer> {
    return this.#write(RANK.beat, report.reports.length + 1, (turn) => beat(turn, report));
  }

  cancelling(workerId: string): Promise<readonly { readonly lease: Lease; readonly reason: string | null }[]> {
    return this.#read((database) => readCancelling(database, workerId));
  }

  settle(
    settlements: readonly Settlement[],
    options: { readonly logLimit: LogLimit; readonly records: boolean },
  ): Promise<readonly SettleAnswer[]> {
    return this.#write(RANK.settle, settlements.length, (turn) => settleTasks(turn, settlements, options));
  }

  change(changes: readonly Change[], options?: { readonly followed?: boolean }): Promise<readonly ChangeAnswer[]> {
    return this.#write(RANK.change, changes.length, (turn) => changeTasks(turn, changes, options));
  }

  get(
    ids: readonly string[],
    { archived = false }: { readonly archived?: boolean } = {},
  ): Promise<readonly (TaskRecord | null)[]> {
    return this.#read((database) =>
      ids.map((id) => {
        const row = database.get(`select ${COLUMNS} from tasklane_task where id = ?`, id);
        const record = row === undefined ? null : toRecord(row);
        return record !== null && record.archivedAt !== null && !archived ? null : record;
      }),
    );
  }

  list(query: StoredQuery): Promise<StoredPage> {
    return this.#read((database) => listTasks(database, query));
  }

  count(where: StoredQuery['where']): Promise<number> {
    return this.#read((database) => countTasks(database, where));
  }

  edges(taskId: string, query: EdgeQuery): Promise<readonly Edge[] | null> {
    return this.#read((database) => readEdges(database, taskId, query));
  }

  counts(): Promise<readonly HandlerCount[]> {
    return this.#read(readCounts);
  }

  remove(ids: readonly string[]): Promise<number> {
    return this.#write(RANK.rest, ids.length, (turn) => removeTasks(turn, ids));
  }

  async prune(limit: number, retention: Retention): Promise<number> {
    // A clock that went back may have ended a task in a time that was looked through.
    const before: Pruned = this.#prunes++ % LOOK_AGAIN === 0 ? new Map() : this.#pruned;
    const { gone, pruned } = await this.#write(RANK.rest, limit, (turn) => prune(turn, limit, retention, before));
    this.#pruned = pruned;
    return gone;
  }

  oldestQueued(handlers: readonly string[]): Promise<number | null> {
    return this.#read((database, now) => {
      const at = oldestQueuedAt(database, handlers);
      return at === null ? null : Math.max(0, now - at);
    });
  }

  nextDue(): Promise<number | null> {
    return this.#read((database, now) => {
      const at = nextRunAt(database);
      return at === null ? null : Math.max(0, at - now);
    });
  }

  workers(): Promise<readonly ListedWorker[]> {
    return this.#read(readWorkers);
  }

  takeBack(workerId: string, limit: number, expect?: { readonly beats: number }): Promise<TakenBack> {
    return this.#write(RANK.rest, limit, (turn) => takeBack(turn, workerId, limit, expect));
  }

  attempts(taskId: string): Promise<readonly TaskAttempt[] | null> {
    return this.#read((database) => readAttempts(database, taskId));
  }

  log(taskId: string, page: { readonly after: number; readonly limit: number }): Promise<readonly LogLine[] | null> {
    return this.#read((database) => readTaskLog(database, taskId, page));
  }

  document(kind: string, key: string): Promise<StoredDocument | null> {
    return this.#read((database, now) => documents.readDocument(database, kind, key, now));
  }

  putDocument(kind: string, key: string, value: JsonValue, options: documents.PutOptions = {}): Promise<number | null> {
    return this.#write(RANK.rest, 1, (turn) => documents.putDocument(turn, kind, key, value, options));
  }

  deleteDocument(kind: string, key: string): Promise<boolean> {
    return this.#write(RANK.rest, 1, (turn) => documents.deleteDocument(turn, kind, key));
  }

  documents(kind: string, page: documents.DocumentPage = {}): Promise<readonly StoredDocument[]> {
    return this.#read((database, now) => documents.readDocuments(database, kind, page, now));
  }

  dueDocuments(kind: string, now: number, limit: number): Promise<readonly StoredDocument[]> {
    return this.#read((database, moment) => documents.readDueDocuments(database, kind, now, limit, moment));
  }

  watch(onHint: (hint: Hint) => void, options?: { readonly changes?: boolean }): () => void {
    return this.#news.watch(onHint, options);
  }

  async #write<T>(rank: Rank, rows: number, work: (turn: Transaction) => T, request?: ClaimRequest): Promise<T> {
    return await this.#opened().turns.ask(rank, rows, work, request);
  }

  async #read<T>(work: (database: Database, now: number) => T): Promise<T> {
    const { connection } = this.#opened();
    return await connection.readTogether((database) => work(database, connection.clock.now()));
  }

  #opened(): Open {
    if (this.#open !== null) return this.#open;
    throw new StorageError(`${this.#path} is not open.`);
  }

  /** One after the other: an `open` that comes while the file is being closed opens it again. */
  #next(work: () => Promise<void>): Promise<void> {
    const before = this.#change;
    this.#change = before.then(work, work);
    return this.#change;
  }
}
