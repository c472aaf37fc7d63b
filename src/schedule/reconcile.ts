import { within } from '../bag.ts';
import type { Environment } from '../environment.ts';
import { OptionError, ScheduleNotFoundError } from '../errors.ts';
import { canonicalJson, type JsonValue } from '../task/json.ts';
import { isSameRule, type ScheduleEditor } from './editor.ts';
import type { ReadSettings, SettingsReader } from './settings.ts';
import { type DeclaredSchedule, parseKey } from './spec.ts';
import { allFound, type Found, SCHEDULE, type ScheduleSettings, type StoredSchedule } from './stored-schedule.ts';

/** What becomes of a schedule that stood in the code, and does so no more. */
export type OnOrphan = 'report' | 'pause' | 'delete';

const AT_ONCE = 500;

/** Makes the stored schedules those that stand in the code; what `create` made is left alone. */
export class Reconciler {
  readonly #environment: Environment;
  readonly #editor: ScheduleEditor;
  readonly #settings: SettingsReader;

  constructor(environment: Environment, editor: ScheduleEditor, settings: SettingsReader) {
    this.#environment = environment;
    this.#editor = editor;
    this.#settings = settings;
  }

  /** @throws {TasklaneError} as `create`, before anything is changed */
  async run(declared: readonly DeclaredSchedule[], onOrphan: OnOrphan): Promise<void> {
    const wanted = new Map<string, ReadSettings>();
    for (const [index, spec] of declared.entries()) {
      try {
        const key = parseKey(spec?.key);
        if (wanted.has(key)) throw new OptionError('key', 'one that no other schedule has', key);
        wanted.set(key, await this.#settings.read(spec, true));
      } catch (error) {
        throw within(`schedules.${index}`, error);
      }
    }
    for (const [key, read] of wanted) await this.#bring(key, read);
    for await (const found of this.#declared()) {
      if (!wanted.has(found.key)) await this.#orphan(found, onOrphan);
    }
  }

  async #bring(key: string, read: ReadSettings): Promise<void> {
    const found = await this.#editor.find(key);
    if (found === null) {
      // Null: another process made it meanwhile, of the same code or of another version, which then came last.
      await this.#editor.create(key, read, true);
      return;
    }
    const { declared, orphaned } = found.schedule;
    try {
      if (!declared || !isSame(found.schedule, read.settings)) await this.#editor.replace(key, read, true);
      if (orphaned) await this.#editor.resume(key);
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
      await this.#bring(key, read); // for another process it was an orphan
    }
  }

  async *#declared(): AsyncGenerator<Found> {
    for (let after: string | undefined; ; ) {
      const documents = await this.#environment.storage.documents(SCHEDULE, { after, limit: AT_ONCE });
      yield* allFound(documents).filter(({ schedule }) => schedule.declared);
      if (documents.length < AT_ONCE) return;
      after = documents.at(-1)?.key;
    }
  }

  async #orphan({ key, schedule }: Found, onOrphan: OnOrphan): Promise<void> {
    const done = { report: 'it goes on', pause: 'it is paused', delete: 'it was deleted' }[onOrphan];
    try {
      if (onOrphan === 'delete') await this.#editor.delete(key);
      else if (onOrphan === 'pause') await this.#editor.pause(key, {}, { orphaned: true });
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error; // another process was there first
    }
    const message = `Schedule ${key} no longer stands in the code; ${done}.`;
    this.#environment.events.warn('schedule_orphaned', message, { id: null, handler: schedule.handler });
  }
}

function isSame(stored: StoredSchedule, settings: ScheduleSettings): boolean {
  const same = (Object.keys(settings) as (keyof ScheduleSettings)[]).every((key) => {
    if (key === 'rule') return true;
    return canonicalJson(stored[key] as JsonValue) === canonicalJson(settings[key] as JsonValue);
  });
  return same && isSameRule(stored.rule, settings.rule);
}
