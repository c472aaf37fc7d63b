import type { TaskDraft, UniqueRule } from '../storage/storage.ts';
import type { TaskRecord } from './record.ts';
import type { StoredPatch, StoredTask } from './transition.ts';

/**
 * What a submit changes in a task of the same key that no handler has started: it becomes what was asked for last. Its id, its
 * place in the order, its parent, its keys and whose it is stay. Every storage calls this, so that all agree.
 * @param asked the task that would have been made
 * @param now the storage's clock, epoch ms
 */
export function replacement(
  holder: StoredTask,
  asked: TaskRecord,
  { maxWaitMs }: UniqueRule,
  now: number,
): StoredPatch {
  const patch: StoredPatch = {
    version: holder.version + 1,
    updatedAt: now,
    input: asked.input,
    priority: asked.priority,
    startBy: asked.startBy,
    tags: asked.tags,
    description: asked.description,
    entityId: asked.entityId,
    metadata: asked.metadata,
  };
  // Whoever held it back by hand wants to let it go by hand.
  const isHeld = holder.status === 'scheduled' && holder.runAt === null;
  if (maxWaitMs === undefined)
    return Object.assign(patch, timing(holder, asked.runAt, asked.status !== 'scheduled', now));
  if (isHeld) return patch;
  const runAt = Math.min(asked.runAt ?? now, holder.createdAt + maxWaitMs);
  return Object.assign(patch, timing(holder, runAt, runAt <= now, now));
}

/** A submit that comes while a task of its key runs: it waits for that one's end, however it ends. */
export function successor(draft: TaskDraft, holderId: string): TaskDraft {
  const record: TaskRecord = { ...draft.record, status: 'waiting', queuedAt: null };
  return { ...draft, record, dependsOn: [{ id: holderId, onFailure: 'run' }] };
}

/** @param atOnce it may run now, whatever `runAt` */
function timing(holder: StoredTask, runAt: number | null, atOnce: boolean, now: number): StoredPatch {
  if (holder.status === 'waiting') return { runAt };
  if (!atOnce) return { status: 'scheduled', runAt };
  return holder.status === 'queued' ? {} : { status: 'queued', queuedAt: now, runAt: null };
}
