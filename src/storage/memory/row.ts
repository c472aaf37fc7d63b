import type { Tag, TaskAttempt, TaskErrorInfo, TaskProgress } from '../../task/record.ts';
import type { Status } from '../../task/status.ts';
import type { Baseline, StoredTask } from '../../task/transition.ts';
import type { TaskDraft } from '../storage.ts';
import { type More, moreOf, ownMore } from './more.ts';
import type { Shelf } from './shelf.ts';
import type { ClaimGroup } from './workers.ts';

type Tags = Readonly<Record<string, Tag>>;

/**
 * A task in memory. Of a million that wait each byte counts, in room as in time: what most tasks never touch is in `more`,
 * which tasks that agree in it share until one of them changes it.
 */
export class Row implements StoredTask {
  declare readonly id: string;
  declare status: Status;
  declare readonly input: unknown;
  declare result: unknown;
  declare priority: number;
  declare attempt: number;
  declare runAt: number | null;
  declare readonly createdAt: number;
  declare queuedAt: number | null;
  declare startedAt: number | null;
  declare finishedAt: number | null;
  declare updatedAt: number;
  declare workerId: string | null;
  declare version: number;
  declare token: string | null;
  /** Submit order. */
  declare readonly sequence: number;
  /** Of its handler. */
  declare readonly shelf: Shelf;
  /** The claim it runs under; null while it does not run. */
  declare group: ClaimGroup | null;
  /** It was removed; lists that still name it skip it. */
  declare gone: boolean;
  declare more: More;

  constructor(draft: TaskDraft, sequence: number, shelf: Shelf) {
    const { record } = draft;
    this.id = record.id;
    this.status = record.status;
    this.input = record.input;
    this.result = record.result;
    this.priority = record.priority;
    this.attempt = record.attempt;
    this.runAt = record.runAt;
    this.createdAt = record.createdAt;
    this.queuedAt = record.queuedAt;
    this.startedAt = record.startedAt;
    this.finishedAt = record.finishedAt;
    this.updatedAt = record.updatedAt;
    this.workerId = record.workerId;
    this.version = record.version;
    this.token = null;
    this.sequence = sequence;
    this.shelf = shelf;
    this.group = null;
    this.gone = false;
    this.more = moreOf(draft, shelf);
  }

  /** What is in `more`, for changing it. */
  own(): More {
    if (this.more.shared) this.more = ownMore(this.more);
    return this.more;
  }

  get handler(): string {
    return this.shelf.handler;
  }
  get description(): string | null {
    return this.more.description;
  }
  set description(value: string | null) {
    if (this.more.description !== value) this.own().description = value;
  }
  get error(): TaskErrorInfo | null {
    return this.more.error;
  }
  set error(value: TaskErrorInfo | null) {
    if (this.more.error !== value) this.own().error = value;
  }
  get progress(): TaskProgress | null {
    return this.more.progress;
  }
  set progress(value: TaskProgress | null) {
    if (this.more.progress !== value) this.own().progress = value;
  }
  get checkpoint(): unknown {
    return this.more.checkpoint;
  }
  set checkpoint(value: unknown) {
    if (this.more.checkpoint !== value) this.own().checkpoint = value;
  }
  get maxAttempts(): number {
    return this.more.maxAttempts;
  }
  set maxAttempts(value: number) {
    if (this.more.maxAttempts !== value) this.own().maxAttempts = value;
  }
  get lost(): number {
    return this.more.lost;
  }
  set lost(value: number) {
    if (this.more.lost !== value) this.own().lost = value;
  }
  get interrupted(): number {
    return this.more.interrupted;
  }
  set interrupted(value: number) {
    if (this.more.interrupted !== value) this.own().interrupted = value;
  }
  get snoozed(): number {
    return this.more.snoozed;
  }
  set snoozed(value: number) {
    if (this.more.snoozed !== value) this.own().snoozed = value;
  }
  get submittedBy(): string | null {
    return this.more.submittedBy;
  }
  set submittedBy(value: string | null) {
    if (this.more.submittedBy !== value) this.own().submittedBy = value;
  }
  get entityId(): string | null {
    return this.more.entityId;
  }
  set entityId(value: string | null) {
    if (this.more.entityId !== value) this.own().entityId = value;
  }
  get parentId(): string | null {
    return this.more.parentId;
  }
  set parentId(value: string | null) {
    if (this.more.parentId !== value) this.own().parentId = value;
  }
  get scheduleId(): string | null {
    return this.more.scheduleId;
  }
  set scheduleId(value: string | null) {
    if (this.more.scheduleId !== value) this.own().scheduleId = value;
  }
  get tick(): number | null {
    return this.more.tick;
  }
  get tags(): Tags {
    return this.more.tags;
  }
  set tags(value: Tags) {
    if (this.more.tags !== value) this.own().tags = value;
  }
  get metadata(): unknown {
    return this.more.metadata;
  }
  set metadata(value: unknown) {
    if (this.more.metadata !== value) this.own().metadata = value;
  }
  get idempotencyKey(): string | null {
    return this.more.idempotencyKey;
  }
  set idempotencyKey(value: string | null) {
    if (this.more.idempotencyKey !== value) this.own().idempotencyKey = value;
  }
  get uniqueKey(): string | null {
    return this.more.uniqueKey;
  }
  set uniqueKey(value: string | null) {
    if (this.more.uniqueKey !== value) this.own().uniqueKey = value;
  }
  get startBy(): number | null {
    return this.more.startBy;
  }
  set startBy(value: number | null) {
    if (this.more.startBy !== value) this.own().startBy = value;
  }
  get archivedAt(): number | null {
    return this.more.archivedAt;
  }
  set archivedAt(value: number | null) {
    if (this.more.archivedAt !== value) this.own().archivedAt = value;
  }
  get cancelRequestedAt(): number | null {
    return this.more.cancelRequestedAt;
  }
  set cancelRequestedAt(value: number | null) {
    if (this.more.cancelRequestedAt !== value) this.own().cancelRequestedAt = value;
  }
  get cancelReason(): string | null {
    return this.more.cancelReason;
  }
  set cancelReason(value: string | null) {
    if (this.more.cancelReason !== value) this.own().cancelReason = value;
  }
  get baseline(): Baseline {
    return this.more.baseline;
  }
  set baseline(value: Baseline) {
    if (this.more.baseline !== value) this.own().baseline = value;
  }
  get maxLost(): number {
    return this.more.maxLost;
  }
  set maxLost(value: number) {
    if (this.more.maxLost !== value) this.own().maxLost = value;
  }
  get leakedBy(): string | null {
    return this.more.leakedBy;
  }
  set leakedBy(value: string | null) {
    if (this.more.leakedBy !== value) this.own().leakedBy = value;
  }
}

/** Whether an attempt holds the task. */
export function isRunning(row: StoredTask): boolean {
  return row.status === 'running' || row.status === 'cancelling';
}

/** Whether a handler started it once. A claim alone is no start, and makes `startedAt` null again. */
export function hasStarted({ startedAt, more }: Row): boolean {
  return startedAt !== null || more.history?.some((attempt) => attempt.startedAt !== null) === true;
}

/** Whether the attempt was kept already: a task may end, or be restarted, between two attempts. */
export function isHistory({ more }: Row, { attempt }: TaskAttempt): boolean {
  return more.history?.at(-1)?.attempt === attempt;
}

/** Whether it waits to be started for the first time. What runs counts as started: that is stored a little late. */
export function neverStarted(row: Row): boolean {
  const { status } = row;
  return (status === 'waiting' || status === 'scheduled' || status === 'queued') && !hasStarted(row);
}

/** Whether its `startBy` has passed before any handler started it. */
export function isExpired(row: Row, now: number): boolean {
  const { startBy } = row.more;
  return startBy !== null && startBy <= now && !hasStarted(row);
}
