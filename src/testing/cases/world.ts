import { strict as assert } from 'node:assert';
import type {
  BeatAnswer,
  Change,
  ChangeAnswer,
  Claim,
  ClaimAnswer,
  ClaimRequest,
  Lease,
  Report,
  ReportAnswer,
  SettleAnswer,
  StorageCapabilities,
  StoredPage,
  StoredQuery,
  TaskDraft,
  TaskStorage,
  WorkerInfo,
} from '../../storage/storage.ts';
import { parseFilter, type TaskFilter } from '../../task/query.ts';
import type { TaskAttempt, TaskRecord } from '../../task/record.ts';
import type { Status } from '../../task/status.ts';
import type { Steps } from '../../task/transition.ts';
import type { Clock } from '../../time/clock.ts';
import { type FakeClock, fakeClock } from '../fake-clock.ts';

/** A storage that a case tries out: empty at first, and this case's alone. */
export interface StorageUnderTest {
  /** Opened, with the clock that was given. */
  readonly storage: TaskStorage;
  /** Opens the same data once more, with the same clock: another object where the storage is shared, else the same. */
  connect(): Promise<TaskStorage>;
  /** Closes whatever is open, and removes the data. */
  close(): Promise<void>;
}

/** Makes a storage for one case. */
export type OpenStorage = (context: { readonly clock: Clock }) => Promise<StorageUnderTest>;

/** One promise of the storage contract. It throws where the storage breaks it. */
export interface StorageCase {
  readonly name: string;
  /** Only for storages that can do this. */
  readonly needs?: keyof StorageCapabilities;
  run(open: OpenStorage): Promise<void>;
}

/** What a case says of a draft; the rest has defaults. */
export type DraftFields = Partial<TaskRecord> & Omit<Partial<TaskDraft>, 'record'>;

/** The worker that is there in every world. */
export const W1 = 'w1';

/** More than any case writes. */
export const LOG_LIMIT = { lines: 1_000, bytes: 65_536 };

/** An error as a handler throws it. */
export const BOOM = { name: 'Error', message: 'boom', code: null };

/** Who a worker is, as far as cases care. */
export const WORKER: WorkerInfo = {
  host: 'host',
  boot: 'boot',
  namespace: null,
  pid: 1,
  handlers: ['work'],
  engineKey: null,
  leaseMs: 30_000,
  startedAt: 0,
};

/** Makes a case out of what it does in a fresh world. */
export function storageCase(
  name: string,
  body: (world: World) => Promise<void>,
  needs?: keyof StorageCapabilities,
): StorageCase {
  const run = async (open: OpenStorage): Promise<void> => {
    const clock = fakeClock();
    const under = await open({ clock });
    try {
      const world = new World(under, clock);
      await world.join(W1);
      await body(world);
    } finally {
      await under.close();
    }
  };
  return needs === undefined ? { name, run } : { name, needs, run };
}

/** A storage, its clock, and short words for what cases do all the time. */
export class World {
  readonly clock: FakeClock;
  readonly storage: TaskStorage;
  readonly #under: StorageUnderTest;
  #drawn = 0;

  constructor(under: StorageUnderTest, clock: FakeClock) {
    this.#under = under;
    this.clock = clock;
    this.storage = under.storage;
  }

  /** Another connection to the same data. */
  connect(): Promise<TaskStorage> {
    return this.#under.connect();
  }

  /** A task to be: queued for the handler `work`, unless told otherwise. Ids ascend. */
  draft({
    maxLost = 3,
    idempotency,
    unique,
    dependsOn,
    showsChildren,
    weight,
    mustCount,
    by,
    ...fields
  }: DraftFields = {}): TaskDraft {
    const now = this.clock.now();
    const status = fields.status ?? (dependsOn === undefined ? 'queued' : 'waiting');
    const record: TaskRecord = { ...EMPTY, id: this.#draw('task'), status, createdAt: now, updatedAt: now, ...fields };
    const queuedAt = record.queuedAt ?? (status === 'queued' ? now : null);
    return {
      record: { ...record, queuedAt },
      maxLost,
      idempotency,
      unique,
      dependsOn,
      showsChildren,
      weight,
      mustCount,
      by,
    };
  }

  /** Makes a task. @returns its id */
  async submit(fields: DraftFields = {}): Promise<string> {
    const draft = this.draft(fields);
    assert.deepEqual(await this.storage.insert([draft]), [{ made: true }]);
    return draft.record.id;
  }

  /** Makes tasks in one call. @returns their ids */
  async submitMany(count: number, fields: DraftFields = {}): Promise<readonly string[]> {
    const drafts = Array.from({ length: count }, () => this.draft(fields));
    await this.storage.insert(drafts);
    return drafts.map(({ record }) => record.id);
  }

  /** Makes a worker known. */
  async join(workerId: string, info: WorkerInfo = WORKER): Promise<BeatAnswer> {
    return this.storage.beat({ workerId, join: info, reports: [], logLimit: LOG_LIMIT, records: false });
  }

  /** Claims whatever there is for `work`, unless told otherwise. */
  claim(request: Partial<ClaimRequest> = {}): Promise<ClaimAnswer> {
    const handlers = [{ name: 'work', limit: 1_000 }];
    return this.storage.claim({ workerId: W1, token: this.#draw('token'), handlers, limit: 1_000, ...request });
  }

  /** Claims one task, which must be there. */
  async claimOne(request: Partial<ClaimRequest> = {}): Promise<Claim> {
    const { claims } = await this.claim({ ...request, limit: 1 });
    return there(claims[0]);
  }

  /** Claims as many as there are. @returns their ids, in the order they came */
  async claimIds(request: Partial<ClaimRequest> = {}): Promise<readonly string[]> {
    return (await this.claim(request)).claims.map(({ task }) => task.id);
  }

  /** Submits a task, and claims it. */
  async running(fields: DraftFields = {}, request: Partial<ClaimRequest> = {}): Promise<Claim> {
    const id = await this.submit(fields);
    const handlers = [{ name: fields.handler ?? 'work', limit: 1 }];
    return this.claimOne({ handlers, ids: [id], ...request });
  }

  /** Submits a task whose handler has started. */
  async started(fields: DraftFields = {}, request: Partial<ClaimRequest> = {}): Promise<Claim> {
    const claim = await this.running(fields, request);
    await this.report(claim, { startedAt: this.clock.now() }, request.workerId);
    return claim;
  }

  /** Ends an attempt. */
  async settle(claim: Claim, steps: Steps, report: Omit<Report, 'lease'> = {}): Promise<SettleAnswer> {
    const settlement = { lease: leaseOf(claim), steps, ...report };
    const [answer] = await this.storage.settle([settlement], { logLimit: LOG_LIMIT, records: true });
    return there(answer);
  }

  /** Submits a task and ends it. @returns its id */
  async ended(steps: Steps, fields: DraftFields = {}): Promise<string> {
    const claim = await this.started(fields);
    await this.settle(claim, steps);
    return claim.task.id;
  }

  /** Says what an attempt has to say. */
  async report(
    claim: Claim,
    report: Omit<Report, 'lease'> = {},
    workerId: string = W1,
    logLimit = LOG_LIMIT,
  ): Promise<ReportAnswer> {
    const reports = [{ lease: leaseOf(claim), ...report }];
    const answer = await this.storage.beat({ workerId, reports, logLimit, records: true });
    return there(answer.reports[0]);
  }

  /** Changes a task from outside. */
  async change(taskId: string, steps: Steps, more: Omit<Change, 'taskId' | 'steps'> = {}): Promise<ChangeAnswer> {
    return there((await this.storage.change([{ taskId, steps, ...more }]))[0]);
  }

  /** A task that must be there, archived or not. */
  async get(id: string): Promise<TaskRecord> {
    return there((await this.storage.get([id], { archived: true }))[0]);
  }

  async statusOf(id: string): Promise<Status> {
    return (await this.get(id)).status;
  }

  async attempts(id: string): Promise<readonly TaskAttempt[]> {
    return there(await this.storage.attempts(id));
  }

  /** The messages of a task's log. */
  async messages(id: string): Promise<readonly string[]> {
    return there(await this.storage.log(id, { after: 0, limit: 1_000 })).map(({ message }) => message);
  }

  /** Lists what fits, in submit order unless told otherwise. */
  list(filter: TaskFilter = {}, query: Partial<StoredQuery> = {}): Promise<StoredPage> {
    const where = [[parseFilter(filter)]];
    return this.storage.list({ where, sort: 'id', descending: false, limit: 1_000, payloads: true, ...query });
  }

  /** The ids of what fits. */
  async ids(filter: TaskFilter = {}, query: Partial<StoredQuery> = {}): Promise<readonly string[]> {
    return (await this.list(filter, query)).items.map(({ id }) => id);
  }

  #draw(kind: string): string {
    return `${kind}_${String(++this.#drawn).padStart(6, '0')}`;
  }
}

/** What proves a claim. */
export function leaseOf({ task, token }: Claim): Lease {
  return { taskId: task.id, token };
}

/** The value, which must not be missing. */
export function there<T>(value: T | null | undefined): T {
  assert.ok(value !== null && value !== undefined, 'something is missing');
  return value;
}

const EMPTY: TaskRecord = {
  id: '',
  handler: 'work',
  description: null,
  status: 'queued',
  input: null,
  result: null,
  error: null,
  progress: null,
  checkpoint: null,
  priority: 0,
  attempt: 0,
  maxAttempts: 1,
  lost: 0,
  interrupted: 0,
  snoozed: 0,
  submittedBy: null,
  entityId: null,
  parentId: null,
  scheduleId: null,
  tick: null,
  tags: {},
  metadata: null,
  idempotencyKey: null,
  uniqueKey: null,
  runAt: null,
  startBy: null,
  createdAt: 0,
  queuedAt: null,
  startedAt: null,
  finishedAt: null,
  updatedAt: 0,
  archivedAt: null,
  workerId: null,
  cancelRequestedAt: null,
  cancelReason: null,
  version: 1,
};
