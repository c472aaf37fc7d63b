import { cloneJson } from '../../task/json.ts';
import type { TaskRecord } from '../../task/record.ts';
import { applyClaim, FROM_SUBMIT, type StoredTask } from '../../task/transition.ts';
import type { Claim, ClaimRequest, TaskDraft } from '../storage.ts';
import type { Begun } from './claim.ts';

/**
 * The claim that follows the one insert of a transaction. Where nothing is ahead of what is inserted, that is stored as
 * claimed at once: the rows are the same as after an insert and a claim, with half the writes.
 */
export class EarlyClaim {
  readonly request: ClaimRequest;
  /** Once it has begun. */
  begun: Begun | null = null;
  /** What was stored as claimed, in submit order. */
  readonly claims: Claim[] = [];
  #chosen: ReadonlySet<TaskDraft> = new Set();
  #complete = false;

  constructor(request: ClaimRequest) {
    this.request = request;
  }

  /** It may take no more, or there is no more that it could take. */
  get isDone(): boolean {
    return this.#complete || (this.claims.length > 0 && this.claims.length >= this.request.limit);
  }

  /** What it may still take. */
  get rest(): ClaimRequest {
    const { request, claims } = this;
    const taken = (name: string): number => claims.filter(({ task }) => task.handler === name).length;
    const handlers = request.handlers.map(({ name, limit }) => ({ name, limit: limit - taken(name) }));
    return { ...request, handlers, limit: request.limit - claims.length };
  }

  /** Chooses what it takes of these drafts, as they are all there is. */
  choose(drafts: readonly TaskDraft[]): void {
    const left = new Map(this.request.handlers.map(({ name, limit }) => [name, limit]));
    const chosen = new Set<TaskDraft>();
    let passedOver = false;
    for (const draft of byPriority(drafts)) {
      const { status, handler } = draft.record;
      if (status !== 'queued') continue;
      const slots = left.get(handler) ?? 0;
      passedOver ||= slots <= 0 || chosen.size >= this.request.limit;
      if (chosen.size >= this.request.limit) break;
      if (slots <= 0) continue;
      left.set(handler, slots - 1);
      chosen.add(draft);
    }
    this.#chosen = chosen;
    this.#complete = !passedOver;
  }

  /** A draft as it is to be stored, where it was chosen; null: as it is. @param now epoch ms */
  taken(draft: TaskDraft, now: number): TaskRecord | null {
    if (!this.#chosen.has(draft)) return null;
    const { token, workerId } = this.request;
    // It looks at what a record shows, and nothing else.
    const { token: _token, ...claimed } = applyClaim(draft.record as StoredTask, token, workerId, now);
    return { ...draft.record, ...(claimed as Partial<TaskRecord>) };
  }

  /** It was stored so. */
  took(task: TaskRecord, maxLost: number): void {
    const { input, tags, metadata } = task;
    const own = { ...task, input: cloneJson(input), tags: cloneJson(tags), metadata: cloneJson(metadata) };
    this.claims.push({ task: own, token: this.request.token, baseline: FROM_SUBMIT, maxLost });
  }
}

/** Larger first, equals in their order. */
function byPriority(drafts: readonly TaskDraft[]): readonly TaskDraft[] {
  const first = drafts[0]?.record.priority;
  if (drafts.every(({ record }) => record.priority === first)) return drafts;
  return drafts.toSorted((one, other) => other.record.priority - one.record.priority);
}
