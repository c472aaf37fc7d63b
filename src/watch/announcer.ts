import type { Events, TaskEventName } from '../events.ts';
import type { NewLogLine } from '../storage/storage.ts';
import type { TaskProgress, TaskRecord } from '../task/record.ts';
import type { Status } from '../task/status.ts';
import type { Reason, Steps } from '../task/transition.ts';
import type { Watchers } from './watchers.ts';

/** Tells listeners and watchers what this process did to a task. */
export class Announcer {
  readonly #events: Events;
  readonly #watchers: Watchers;

  constructor(events: Events, watchers: Watchers) {
    this.#events = events;
    this.#watchers = watchers;
  }

  /** Whether anybody wants records: reading them for nobody would cost every task. */
  get wanted(): boolean {
    return this.#events.heard || this.#watchers.active;
  }

  created(task: TaskRecord): void {
    this.#events.task('task:created', task);
    if (task.status === 'queued') this.#events.task('task:queued', task);
    if (task.status === 'scheduled') this.#events.task('task:scheduled', task);
    this.#watchers.see(task);
  }

  started(task: TaskRecord): void {
    this.#events.task('task:started', task);
    this.#watchers.see(task);
  }

  progress(task: TaskRecord, progress: TaskProgress): void {
    this.#events.task('task:progress', task, { progress });
    this.#watchers.see(task);
  }

  log(task: TaskRecord, { level, message }: NewLogLine): void {
    this.#events.task('task:log', task, { level, message });
    this.#watchers.see(task);
  }

  /** A step was stored. */
  changed(task: TaskRecord, reason: Reason): void {
    this.#tell(task, reason);
    this.#watchers.see(task);
  }

  /** Something followed for a task from what became of another. */
  followed(task: TaskRecord): void {
    this.changed(task, FOLLOWED[task.status] ?? 'updated');
  }

  /** A task shows how far its children came. */
  progressed(task: TaskRecord): void {
    if (task.progress !== null) this.progress(task, task.progress);
  }

  /** An attempt was settled: which of its steps was taken shows in the status. */
  settled(task: TaskRecord, steps: Steps): void {
    const step = steps.running?.to === task.status ? steps.running : steps.cancelling;
    if (step !== undefined) this.changed(task, step.reason);
  }

  /** A change was stored whose record nobody wanted then. */
  missed(taskId: string): void {
    this.#watchers.missed(taskId);
  }

  /** The task of a dead worker was taken back. */
  takenBack(task: TaskRecord): void {
    if (task.status === 'cancelled') {
      this.changed(task, 'cancelled');
      return;
    }
    this.changed(task, task.startedAt === null ? 'interrupted' : 'lost');
    if (task.status === 'failed') this.changed(task, 'failed');
  }

  #tell(task: TaskRecord, reason: Reason): void {
    const event = reason === 'released' && task.status === 'scheduled' ? 'task:scheduled' : EVENTS[reason];
    if (event === null) return;
    const { error, runAt, cancelReason } = task;
    this.#events.task(event, task, { error, runAt, reason: cancelReason });
  }
}

/** How a task that others moved got where it is. */
const FOLLOWED: Readonly<Partial<Record<Status, Reason>>> = {
  queued: 'released',
  scheduled: 'released',
  failed: 'failed',
  cancelled: 'cancelled',
  cancelling: 'cancelling',
};

/** What each reason is told as. */
const EVENTS: Readonly<Record<Reason, TaskEventName | null>> = {
  succeeded: 'task:succeeded',
  failed: 'task:failed',
  retrying: 'task:retrying',
  snoozed: 'task:snoozed',
  interrupted: 'task:interrupted',
  lost: 'task:lost',
  cancelling: 'task:cancelling',
  cancelled: 'task:cancelled',
  expired: 'task:cancelled',
  due: 'task:queued',
  released: 'task:queued',
  restarted: 'task:queued',
  updated: 'task:updated',
  archived: 'task:archived',
  unchanged: null,
};
