import type { OnFailure } from '../flow/rules.ts';
import type { JsonValue } from '../task/json.ts';
import type { Condition, SortKey } from '../task/query.ts';
import type { LogLevel, LogLine, TaskAttempt, TaskProgress, TaskRecord } from '../task/record.ts';
import type { Status } from '../task/status.ts';
import type { Baseline, Steps } from '../task/transition.ts';
import type { Clock } from '../time/clock.ts';

/**
 * Where tasks live. Storage is the record of truth: every change is one atomic, fenced transition. Writes take arrays and
 * are whole or not at all; every method may reject with a `StorageError`, which says whether the write may have happened.
 * One object may serve several managers. What is handed in is left alone from then on; what is answered is the caller's own.
 * `storageCases` of `tasklane/testing` is the contract as tests.
 */
export interface TaskStorage extends Life, TasksIn, TasksRun, TasksOutside, Workers, History, Documents, News {}

/** What a storage can do, as data: nobody asks for a driver's name. */
export interface StorageCapabilities {
  /** What was acknowledged outlives the process. */
  readonly durable: boolean;
  /** Several processes may open the same one. */
  readonly shared: boolean;
  /** `insert` can run in the caller's transaction. */
  readonly transactions: boolean;
}

export interface Life {
  readonly capabilities: StorageCapabilities;
  /** Counted: as many `close` as `open`. @throws {StorageError} */
  open(context?: { readonly clock?: Clock | undefined }): Promise<void>;
  /** The last one lets go of files and timers, after what was begun. Once more: no error. */
  close(): Promise<void>;
}

// ---- in -----------------------------------------------------------------------------------------------------------

/** A task to be. Whoever inserts it leaves the objects alone from then on. */
export interface TaskDraft {
  /** Whole, at version 1; `waiting`, `scheduled` or `queued`. */
  readonly record: TaskRecord;
  readonly maxLost: number;
  /** Goes with `record.idempotencyKey`, whose scope is `record.submittedBy`. */
  readonly idempotency?: { readonly fingerprint: string; readonly expiresAt: number } | undefined;
  /** Goes with `record.uniqueKey`, whose scope is `record.handler`. */
  readonly unique?: UniqueRule | undefined;
  /** The record is `waiting`: until all of these have ended, or one of them decides otherwise. Each id once. */
  readonly dependsOn?: readonly DraftEdge[] | undefined;
  /** Its progress is that of its children, until its handler reports some. */
  readonly showsChildren?: boolean | undefined;
  /** What it counts for in the progress of its parent, if that one shows it; larger than 0, default 1. */
  readonly weight?: number | undefined;
  /** Refused (`uncounted`) where its weight would count for nothing. */
  readonly mustCount?: boolean | undefined;
  /** The attempt that makes it: refused unless its lease holds and its task is `running`. */
  readonly by?: Lease | undefined;
}

/** What a task to be depends on: a task that is there, archived or not, or, in an atomic insert, another draft of it. */
export interface DraftEdge {
  readonly id: string;
  readonly onFailure: OnFailure;
}

/**
 * Which earlier task of the same handler and key stands in the way: one that waits to be started for the first time (what is claimed counts as started), one that has not ended (or whose
 * handler still runs), or one made within `windowMs`.
 */
export interface UniqueRule {
  readonly scope: 'unstarted' | 'unfinished' | { readonly windowMs: number };
  /**
   * `skip`: that task answers; `error`: refused. `replace`: the task becomes this one (`replacement`), while no handler has
   * started it and its `submittedBy` is the same, and answers; else refused. `runAfter`, of scope `unfinished`: as `replace`
   * where no handler has started it; else the one task of the key that has not started, if there is one, is replaced; else this
   * one is made, `waiting`, with an edge to that task that ends with it in any way (`successor`): nobody waits for the task of
   * another `submittedBy`, which would tell when that ends. There, and where only a handler runs on whose task has ended:
   * refused.
   */
  readonly onConflict: 'skip' | 'error' | 'replace' | 'runAfter';
  /** Only tasks with the draft's `submittedBy` stand in the way. */
  readonly ownOnly?: boolean | undefined;
  /** Of `replace`: a task may be put off until so long after it was made; ms, or Infinity. Not given: no matter. */
  readonly maxWaitMs?: number | undefined;
}

export type InsertAnswer =
  /**
   * `after`: it waits for that task, whose key it shares. `uncounted`: it has a weight, and its parent does not show its
   * children, or is not there.
   */
  | ({ readonly made: true; readonly after?: string | undefined; readonly uncounted?: true } & Followed)
  /**
   * An earlier task answers; `parent`: that of its parent, a draft of the same atomic insert, whose children are not made.
   * `replaced`: the task was changed by this, and is like that now.
   */
  | {
      readonly made: false;
      readonly matched: 'idempotency' | 'unique' | 'parent';
      readonly taskId: string;
      readonly replaced?: TaskRecord | undefined;
    }
  | { readonly made: false; readonly refused: 'unique_conflict' | 'idempotency_conflict'; readonly taskId: string }
  | { readonly made: false; readonly refused: 'queue_full' | 'uncounted' }
  /** A document that was to be put with it has another version by now. */
  | { readonly made: false; readonly refused: 'document_conflict' }
  /** The attempt that was to make it holds its task no more, or is to stop. */
  | { readonly made: false; readonly refused: 'lease_stale' }
  /** It depends on a task that is not there. */
  | { readonly made: false; readonly refused: 'dependency_missing'; readonly taskId: string }
  /** Would have been made or matched, but another of an atomic insert was refused. */
  | { readonly made: false; readonly refused: 'not_alone' };

/**
 * What the end of a task did to others, in the same transaction: its dependents were released, failed or skipped, and what
 * only they needed was cancelled. As they are now, in the order it happened; left out where nothing was.
 */
export interface Followed extends Progressed {
  readonly followed?: readonly TaskRecord[] | undefined;
}

/**
 * Tasks that show the progress of their children, and to whose children the call did something: as they are now, each once.
 * Where a call has several answers it is in the last one. What has ended is not among them: it stays as it was.
 */
export interface Progressed {
  readonly progressed?: readonly TaskRecord[] | undefined;
}

export interface TasksIn {
  /**
   * Stores tasks in the given order and answers one by one. Idempotent by id: a draft whose id is there already was made by
   * an earlier try of the same call. A dependency that has ended counts as one that ends now. That drafts do not wait for
   * each other in a circle is the caller's to see to.
   * @param options `atomic`: all or nothing, a match counting as made. `maxUnfinished`: above it, `queue_full`. `tx`: the
   * caller's transaction, where `capabilities.transactions`. `documents`: put in the same transaction, all of them and all
   * tasks or nothing (as `atomic`), which needs at least one draft; a task whose draft is there already was made with its
   * documents, which are left alone then. So a tick of a schedule and its task are one write.
   */
  insert(
    drafts: readonly TaskDraft[],
    options?: {
      readonly atomic?: boolean;
      readonly maxUnfinished?: number;
      readonly documents?: readonly DocumentPut[];
      readonly tx?: unknown;
    },
  ): Promise<readonly InsertAnswer[]>;
}

/** A document that is put with tasks. */
export interface DocumentPut {
  readonly kind: string;
  readonly key: string;
  readonly value: JsonValue;
  /** Only where it is at this version; 0: there is none yet. */
  readonly ifVersion: number;
  readonly dueAt?: number | null | undefined;
}

// ---- run ----------------------------------------------------------------------------------------------------------

/** Proof of one claim. Every write of a running attempt carries it; any other is refused. */
export interface Lease {
  readonly taskId: string;
  /** Drawn anew at each claim and never reused, not even for the same worker. */
  readonly token: string;
}

export interface ClaimRequest {
  readonly workerId: string;
  /** The caller's, one a call. The same one again answers the same rows, as far as they still run, or are `cancelling`. */
  readonly token: string;
  /** A process is given only what it can run, and of each handler no more than its free slots. */
  readonly handlers: readonly { readonly name: string; readonly limit: number }[];
  /** In all; 0: only what is due or expired is dealt with. */
  readonly limit: number;
  /** Only these, where runnable: how a push engine claims what it was handed. */
  readonly ids?: readonly string[] | undefined;
}

export interface Claim {
  /** As claimed: `running`, `startedAt` null. The caller's own copy. */
  readonly task: TaskRecord;
  readonly token: string;
  readonly baseline: Baseline;
  readonly maxLost: number;
}

export interface ClaimAnswer extends Progressed {
  /** By priority, larger first, then in submit order. */
  readonly claims: readonly Claim[];
  /** What was due and became `queued`. */
  readonly queued: readonly TaskRecord[];
  /** What no handler had started when its `startBy` came, and is `cancelled`; a later attempt does not expire. */
  readonly expired: readonly TaskRecord[];
  /** What the end of those did. */
  readonly followed: readonly TaskRecord[];
}

/** What an attempt has to say. Keys that are left out change nothing. */
export interface Report {
  readonly lease: Lease;
  /** The handler started then; epoch ms. */
  readonly startedAt?: number | undefined;
  readonly progress?: TaskProgress | undefined;
  readonly checkpoint?: JsonValue | undefined;
  readonly log?: readonly NewLogLine[] | undefined;
  /** The handler of a task that was settled without it has ended. */
  readonly leakEnded?: boolean | undefined;
}

export type NewLogLine = Readonly<{ at: number; level: LogLevel; message: string }>;

/** How many log lines a task keeps, the newest; `bytes` of their messages in UTF-8. */
export interface LogLimit {
  readonly lines: number;
  readonly bytes: number;
}

export interface Beat {
  readonly workerId: string;
  /** Makes the worker known; without it a worker that was taken back stays unknown. */
  readonly join?: WorkerInfo | undefined;
  readonly reports: readonly Report[];
  readonly logLimit: LogLimit;
  /** Answer with the records. */
  readonly records: boolean;
}

/** `progressed` only where records are asked for. */
export interface BeatAnswer extends Progressed {
  /** False: the worker was declared dead; none of its leases holds. */
  readonly known: boolean;
  /** One a report, in order. */
  readonly reports: readonly ReportAnswer[];
}

export type ReportAnswer =
  | {
      readonly held: true;
      readonly status: 'running' | 'cancelling';
      readonly cancelReason: string | null;
      readonly record: TaskRecord | null;
    }
  /** Another claim holds the task, or nobody; `status` is null when the task is gone. */
  | { readonly held: false; readonly status: Status | null };

/** The end of an attempt, with what it still had to say. */
export interface Settlement extends Report {
  readonly steps: Steps;
}

export type SettleAnswer =
  /** `repeated`: this settlement was stored before. */
  | ({
      readonly settled: true;
      readonly repeated: boolean;
      readonly status: Status;
      readonly record: TaskRecord | null;
      /** `followed` and `progressed` only where records are asked for. */
    } & Followed)
  /** Another claim holds the task, or it was settled from outside, or it is gone: nothing changed. */
  | { readonly settled: false };

export interface TasksRun {
  /**
   * Gives each runnable task to one caller. In the same transaction, first: due `scheduled` tasks become `queued`, and those
   * past their `startBy` are cancelled (up to 1,000 of each). Never waits.
   */
  claim(request: ClaimRequest): Promise<ClaimAnswer>;
  /** One write keeps all leases of a worker; stores what its attempts report. */
  beat(beat: Beat): Promise<BeatAnswer>;
  /** The worker's tasks that are to be cancelled: the cheap poll between beats. */
  cancelling(workerId: string): Promise<readonly { readonly lease: Lease; readonly reason: string | null }[]>;
  /** Writes the ends of attempts. Idempotent by token, which stays on the row; one refused stops no other. */
  settle(
    settlements: readonly Settlement[],
    options: { readonly logLimit: LogLimit; readonly records: boolean },
  ): Promise<readonly SettleAnswer[]>;
}

// ---- from outside -------------------------------------------------------------------------------------------------

export interface Change {
  readonly taskId: string;
  /** By the status the task is in; one that is left out refuses. Archived tasks are `missing`. */
  readonly steps: Steps;
  /** Refused unless the task is at this version; goes before `status`. */
  readonly ifVersion?: number | undefined;
  /** Merged into the tags; null removes (RFC 7396). */
  readonly tags?: Readonly<Record<string, string | number | boolean | null>> | undefined;
  /** Merged into the metadata (RFC 7396). */
  readonly metadata?: JsonValue | undefined;
  /** The same steps for its children, and theirs, as far as the steps know their status. They are in `followed`. */
  readonly descendants?: boolean | undefined;
  /** Put in the same transaction where a step is taken; refused where it is at another version. So a schedule takes a task's place. */
  readonly put?: DocumentPut | undefined;
}

export type ChangeAnswer =
  /** `from`: the status before; `changed`: false where the step was `unchanged`. */
  | ({ readonly changed: boolean; readonly from: Status; readonly record: TaskRecord } & Followed)
  | { readonly refused: 'missing' }
  | { readonly refused: 'status'; readonly record: TaskRecord }
  | { readonly refused: 'version'; readonly record: TaskRecord }
  /** A restart whose unique key another unfinished task holds. */
  | { readonly refused: 'unique'; readonly taskId: string }
  /** What was to be put with it has another version by now. */
  | { readonly refused: 'document' };

/** Where a page starts: a place in the order, which needs no task to be there still. */
export type Position = readonly [value: string | number | null, sequence: number];

export interface StoredQuery {
  /** All must hold; of each list, one. */
  readonly where: readonly (readonly Condition[])[];
  readonly sort: SortKey;
  readonly descending: boolean;
  /** When sorting by status: the order of the words, those left out last in their own order. */
  readonly statusOrder?: readonly Status[] | undefined;
  readonly limit: number;
  /** Exclusive. `id`: the place of that task; `orBeyond`: should it be gone, see `PLACE_IDS`; in submit order alone. */
  readonly from?: Position | { readonly id: string; readonly orBeyond?: boolean } | undefined;
  /** The page before `from`; items come in the query's order all the same. */
  readonly backward?: boolean | undefined;
  readonly offset?: number | undefined;
  /** False: `input` and `result` are null, which saves reading them. */
  readonly payloads: boolean;
}

export interface StoredPage {
  readonly items: readonly TaskRecord[];
  readonly places: readonly Position[];
  /** There is more in the direction walked: before the first item where `backward`, else after the last. */
  readonly more: boolean;
  /** A search by text stopped before it had seen all. */
  readonly truncated: boolean;
}

/** One task that another depends on, or that depends on it. */
export interface Edge {
  /** Of the other task. */
  readonly id: string;
  readonly onFailure: OnFailure;
  /** The dependent waits for it. */
  readonly open: boolean;
  /** Its place in the list, for the next page. */
  readonly place: number;
}

/** Which edges of a task: up to `limit` behind `after`, in submit order of the tasks at their other end. */
export interface EdgeQuery {
  readonly side: 'dependencies' | 'dependents';
  readonly after?: number | undefined;
  readonly limit: number;
  /** Only those that are waited for. */
  readonly open?: boolean | undefined;
}

/** What to remove: final tasks that ended longer ago than `ageMs`, of these statuses and, unless null, these handlers. */
export interface RetentionRule {
  readonly status: readonly Status[];
  readonly handlers: readonly string[] | null;
  /** Of all handlers but these. */
  readonly except: readonly string[];
  readonly ageMs: number;
}

export interface TasksOutside {
  /** Each for itself: one refused stops no other. @param options `followed` false: that is not answered, nor read */
  change(changes: readonly Change[], options?: { readonly followed?: boolean }): Promise<readonly ChangeAnswer[]>;
  /** One answer an id; archived ones only when asked for. */
  get(ids: readonly string[], options?: { readonly archived?: boolean }): Promise<readonly (TaskRecord | null)[]>;
  /** @throws {TaskNotFoundError} for a `from.id` that is gone, without `orBeyond` */
  list(query: StoredQuery): Promise<StoredPage>;
  count(where: StoredQuery['where']): Promise<number>;
  /** What a task depends on, or what depends on it; null: no such task. What was removed for good is left out. */
  edges(taskId: string, query: EdgeQuery): Promise<readonly Edge[] | null>;
  /** Tasks that are not archived, by handler and status; zeros may be left out. */
  counts(): Promise<readonly { readonly handler: string; readonly status: Status; readonly count: number }[]>;
  /** Removes tasks for good, with all that belongs to them; unfinished ones stay. @returns how many went */
  remove(ids: readonly string[]): Promise<number>;
  /**
   * Removes up to `limit` final tasks, and expired keys and documents. What an unfinished task depends on stays, and may stay
   * for some calls more after that one has ended.
   * @param retention the rules, and how many final tasks may stay in all
   * @returns how many went; fewer than `limit`: nothing is left to remove
   */
  prune(
    limit: number,
    retention: { readonly rules: readonly RetentionRule[]; readonly count: number },
  ): Promise<number>;
  /** How long the oldest queued task of these handlers has waited, in ms; null: none is queued. */
  oldestQueued(handlers: readonly string[]): Promise<number | null>;
  /** Ms until the next scheduled task is due, 0 when one is; null: none is scheduled. */
  nextDue(): Promise<number | null>;
}

// ---- workers ------------------------------------------------------------------------------------------------------

/** Who a worker is. Two workers of the same host, boot and namespace can tell by the pid whether the other lives. */
export type WorkerInfo = Readonly<{
  host: string;
  /** Of the machine's present boot; null where it cannot be told. */
  boot: string | null;
  /** Of process ids; null where there are none. */
  namespace: string | null;
  pid: number;
  handlers: readonly string[];
  /** The name its engine's own locks are held under. */
  engineKey: string | null;
  /** Silent for longer, by the watcher's monotonic clock: dead. In ms. */
  leaseMs: number;
  startedAt: number;
}>;

export interface Workers {
  /**
   * `beats` moves with each beat; nothing else is compared. A worker without a row of its own that still holds running or
   * cancelling tasks (whoever took it back died half-way) is listed too: `beats` 0, `info` null.
   */
  workers(): Promise<readonly { readonly id: string; readonly beats: number; readonly info: WorkerInfo | null }[]>;
  /**
   * Declares a worker dead: first its row goes, so that it cannot come back, then its tasks are lost, up to `limit`, and its
   * leaks end.
   * @param expect only while `beats` is still this
   * @returns the tasks as they are now; fewer than `limit`: no more are left
   */
  takeBack(workerId: string, limit: number, expect?: { readonly beats: number }): Promise<TakenBack>;
}

/** Tasks of a dead worker as they are now, and what the end of some of them did. */
export interface TakenBack extends Progressed {
  readonly taken: readonly TaskRecord[];
  readonly followed: readonly TaskRecord[];
}

// ---- history, documents, news -------------------------------------------------------------------------------------

export interface History {
  /** All attempts, oldest first, of those that ended the newest 1,000; null: no such task. */
  attempts(taskId: string): Promise<readonly TaskAttempt[] | null>;
  /** Log lines with a larger `seq` than `after`, oldest first; null: no such task. */
  log(taskId: string, page: { readonly after: number; readonly limit: number }): Promise<readonly LogLine[] | null>;
}

export interface StoredDocument {
  readonly kind: string;
  readonly key: string;
  readonly value: JsonValue;
  /** From 1, moves with each put. */
  readonly version: number;
  readonly dueAt: number | null;
}

/** Small things by kind and key: schedules, pauses and all that is to come. */
export interface Documents {
  document(kind: string, key: string): Promise<StoredDocument | null>;
  /** @param options `ifVersion`: 0 means that there is none yet. @returns the new version, or null when it was another */
  putDocument(
    kind: string,
    key: string,
    value: JsonValue,
    options?: { readonly ifVersion?: number; readonly dueAt?: number | null; readonly expiresAt?: number | null },
  ): Promise<number | null>;
  /** @returns whether there was one */
  deleteDocument(kind: string, key: string): Promise<boolean>;
  /**
   * By key, in the order of bytes; what has expired is not there.
   * @param page up to `limit`, those behind the key `after`; `values` false: `value` is null, which saves reading it
   */
  documents(
    kind: string,
    page?: {
      readonly after?: string | undefined;
      readonly limit?: number | undefined;
      readonly values?: boolean | undefined;
    },
  ): Promise<readonly StoredDocument[]>;
  /** What is due at `now`, the longest due first: with Infinity and 1, the next to be due. As cheap with 100,000 that are not. */
  dueDocuments(kind: string, now: number, limit: number): Promise<readonly StoredDocument[]>;
}

/**
 * Something happened, in any process. A hint: it may be lost, doubled or late, and costs only time then.
 * `queued`: tasks can be claimed. `due`: one will be in `ms`. `cancelling`: a running task is to stop. `control`: documents
 * changed. `changed`: the task `id` did; without `id`, many did.
 */
export type Hint =
  | { readonly kind: 'queued'; readonly priority: number | null }
  | { readonly kind: 'due'; readonly ms: number }
  | { readonly kind: 'cancelling' | 'control' }
  | { readonly kind: 'changed'; readonly id: string | null };

export interface News {
  /**
   * @param options `changes`: wants `changed` too, from other processes within 150 ms, which costs the storage more.
   * @returns ends the watch
   */
  watch(onHint: (hint: Hint) => void, options?: { readonly changes?: boolean }): () => void;
}
