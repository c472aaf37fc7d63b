import type { Tag, TaskAttempt, TaskErrorInfo, TaskProgress } from '../../task/record.ts';
import { type Baseline, FROM_SUBMIT } from '../../task/transition.ts';
import type { TaskDraft } from '../storage.ts';
import type { Log } from './log.ts';
import type { Shelf } from './shelf.ts';

type Tags = Readonly<Record<string, Tag>>;

/** What tasks without tags share. */
const NO_TAGS: Tags = Object.freeze({});

/** The part of a row that most tasks of a handler have in common. */
export interface More {
  description: string | null;
  error: TaskErrorInfo | null;
  progress: TaskProgress | null;
  checkpoint: unknown;
  maxAttempts: number;
  lost: number;
  interrupted: number;
  snoozed: number;
  submittedBy: string | null;
  entityId: string | null;
  parentId: string | null;
  scheduleId: string | null;
  tick: number | null;
  tags: Tags;
  metadata: unknown;
  idempotencyKey: string | null;
  uniqueKey: string | null;
  startBy: number | null;
  archivedAt: number | null;
  cancelRequestedAt: number | null;
  cancelReason: string | null;
  baseline: Baseline;
  maxLost: number;
  leakedBy: string | null;
  /** Attempts before the newest. */
  history: TaskAttempt[] | null;
  log: Log | null;
  /** Other rows may hold it, too: to be copied before it is changed. */
  readonly shared: boolean;
}

/** That of a draft: the one its handler's last task had, where it is the same. */
export function moreOf(draft: TaskDraft, shelf: Shelf): More {
  const { usual } = shelf;
  if (usual !== null && agrees(usual, draft)) return usual;
  const { record, maxLost } = draft;
  const more: More = {
    description: record.description,
    error: record.error,
    progress: record.progress,
    checkpoint: record.checkpoint,
    maxAttempts: record.maxAttempts,
    lost: record.lost,
    interrupted: record.interrupted,
    snoozed: record.snoozed,
    submittedBy: record.submittedBy,
    entityId: record.entityId,
    parentId: record.parentId,
    scheduleId: record.scheduleId,
    tick: record.tick,
    tags: isEmpty(record.tags) ? NO_TAGS : record.tags,
    metadata: record.metadata,
    idempotencyKey: record.idempotencyKey,
    uniqueKey: record.uniqueKey,
    startBy: record.startBy,
    archivedAt: record.archivedAt,
    cancelRequestedAt: record.cancelRequestedAt,
    cancelReason: record.cancelReason,
    baseline: FROM_SUBMIT,
    maxLost,
    leakedBy: null,
    history: null,
    log: null,
    shared: true,
  };
  shelf.usual = more;
  return more;
}

/** A copy that one row has for itself. */
export function ownMore(more: More): More {
  return { ...more, shared: false };
}

function agrees(usual: More, { record, maxLost }: TaskDraft): boolean {
  return (
    usual.description === record.description &&
    usual.error === record.error &&
    usual.progress === record.progress &&
    usual.checkpoint === record.checkpoint &&
    usual.maxAttempts === record.maxAttempts &&
    usual.lost === record.lost &&
    usual.interrupted === record.interrupted &&
    usual.snoozed === record.snoozed &&
    usual.submittedBy === record.submittedBy &&
    usual.entityId === record.entityId &&
    usual.parentId === record.parentId &&
    usual.scheduleId === record.scheduleId &&
    usual.tick === record.tick &&
    usual.metadata === record.metadata &&
    usual.idempotencyKey === record.idempotencyKey &&
    usual.uniqueKey === record.uniqueKey &&
    usual.startBy === record.startBy &&
    usual.archivedAt === record.archivedAt &&
    usual.cancelRequestedAt === record.cancelRequestedAt &&
    usual.cancelReason === record.cancelReason &&
    usual.maxLost === maxLost &&
    (usual.tags === record.tags || (usual.tags === NO_TAGS && isEmpty(record.tags)))
  );
}

function isEmpty(tags: Tags): boolean {
  for (const _ in tags) return false;
  return true;
}
