import type { Environment } from '../environment.ts';
import type { Runner } from '../run/runner.ts';
import type { InsertAnswer, TaskDraft } from '../storage/storage.ts';
import { makeDraft } from '../submit/draft.ts';
import { PLAIN_SUBMIT } from '../submit/options.ts';
import { cloneJson, type JsonValue } from '../task/json.ts';
import type { TaskRecord } from '../task/record.ts';
import type { Announcer } from '../watch/announcer.ts';
import { type Found, type StoredSchedule, toPut } from './stored-schedule.ts';

/** What became of a write: `changed`, another process was there first; `full`, there are `maxQueued` tasks already. */
export type StoreAnswer = 'stored' | 'changed' | 'full';

/** A schedule that was found, as it shall be from now on, and the tasks that this makes. */
export interface Move {
  readonly found: Found;
  readonly schedule: StoredSchedule;
  readonly drafts: readonly TaskDraft[];
}

/** Makes the tasks of schedules, and stores them together with the schedule they move. */
export class ScheduledTasks {
  readonly #environment: Environment;
  readonly #announcer: Announcer;
  readonly #runner: Runner;

  constructor(environment: Environment, announcer: Announcer, runner: Runner) {
    this.#environment = environment;
    this.#announcer = announcer;
    this.#runner = runner;
  }

  /**
   * A task to be. Its handler need not be known here.
   * @param tick null: triggered by hand, or by an event
   * @param after waits for the end of these tasks, however they end
   */
  draft(
    { key, schedule }: Pick<Found, 'key' | 'schedule'>,
    tick: number | null,
    { after = [], input = schedule.input }: { readonly after?: readonly string[]; readonly input?: JsonValue } = {},
  ): TaskDraft {
    const { clock, ids, registry } = this.#environment;
    const name = schedule.handler;
    const handler = registry.find(name) ?? { name, ...schedule.handlerDefaults };
    const { priority, startBy, tags, description, entityId, submittedBy, metadata } = schedule;
    const options = {
      ...PLAIN_SUBMIT,
      ...{ priority, startByMs: startBy, tags, description, entityId, submittedBy, metadata },
    };
    const now = clock.now();
    const { record, ...draft } = makeDraft({ handler, input, options }, ids.draw(now), now, 0);
    const own = { ...record, scheduleId: key, tick };
    if (after.length === 0) return { ...draft, record: own };
    const dependsOn = after.map((id) => ({ id, onFailure: 'run' as const }));
    return { ...draft, record: { ...own, status: 'waiting', queuedAt: null }, dependsOn };
  }

  /**
   * Stores schedules in place of those that were found, and their tasks with them: all or nothing, and only while nobody
   * else has moved one of them. Several: each of them makes a task.
   * @throws {StorageError}
   */
  async store(moves: readonly Move[]): Promise<StoreAnswer> {
    const { storage, settings } = this.#environment;
    const documents = moves.map(({ found, schedule }) => toPut(found.key, schedule, found.version));
    const drafts = moves.flatMap((move) => move.drafts);
    if (drafts.length === 0) {
      const versions = documents.map(({ kind, key, value, ifVersion, dueAt = null }) =>
        storage.putDocument(kind, key, value, { ifVersion, dueAt }),
      );
      return (await Promise.all(versions)).includes(null) ? 'changed' : 'stored';
    }
    // The storage owns the drafts from now on.
    const records = drafts.map(({ record }) => (this.#announcer.wanted ? cloneJson(record) : record));
    const limit = settings.maxQueued === Infinity ? {} : { maxUnfinished: settings.maxQueued };
    const inserting = storage.insert(drafts, { documents, ...limit });
    // A claim of the same turn shares the insert's transaction, where there is one.
    this.#runner.wake(null);
    const answers = await inserting;
    const refusal = answers.find((answer) => 'refused' in answer && answer.refused !== 'not_alone');
    if (refusal !== undefined) return 'refused' in refusal && refusal.refused === 'queue_full' ? 'full' : 'changed';
    this.#tell(records, answers);
    return 'stored';
  }

  #tell(records: readonly TaskRecord[], answers: readonly InsertAnswer[]): void {
    for (const [index, record] of records.entries()) {
      const answer = answers[index];
      if (this.#announcer.wanted) this.#announcer.created(record);
      if (answer?.made) this.#runner.followed(answer);
      if (record.status === 'queued') this.#runner.wake(record.priority);
    }
  }
}
