import { checkKeys } from '../bag.ts';
import type { Environment } from '../environment.ts';
import type { Checked, SubmitCheck } from '../submit/check.ts';
import { parseSubmit, type SubmitOptions } from '../submit/options.ts';
import { type DeclaredSchedule, parseManner, parseRule, SPEC_KEYS, SUBMIT_KEYS } from './spec.ts';
import type { ScheduleSettings, StoredSchedule } from './stored-schedule.ts';

/** What a schedule was told, and when that was read: all that is computed from it counts from then. */
export interface ReadSettings {
  readonly settings: ScheduleSettings;
  /** Epoch ms. A run that comes before they are stored is one of its runs. */
  readonly readAt: number;
}

/** Reads what a schedule is told, the handler and its input included. */
export class SettingsReader {
  readonly #environment: Environment;
  readonly #checks: SubmitCheck;

  constructor(environment: Environment, checks: SubmitCheck) {
    this.#environment = environment;
    this.#checks = checks;
  }

  /**
   * @param mayBeOver one that never runs again is all right
   * @throws {TasklaneError} as `create` does
   */
  async read(spec: DeclaredSchedule, mayBeOver = false): Promise<ReadSettings> {
    checkKeys('spec', spec, SPEC_KEYS);
    const given = SUBMIT_KEYS.filter((key) => (spec[key] ?? null) !== null);
    const submit = Object.fromEntries(given.map((key) => [key, spec[key]]));
    const { handler, input, options } = takesPayload(spec)
      ? this.#withoutInput(spec, submit)
      : await this.#checks.check(spec.handler, spec.input, submit, null);
    const { priority, startByMs: startBy, tags, description, entityId, submittedBy, metadata } = options;
    const readAt = this.#environment.clock.now();
    const settings = {
      handler: handler.name,
      input,
      rule: await parseRule(spec, readAt, mayBeOver),
      ...parseManner(spec),
      ...{ priority, startBy, tags, description, entityId, submittedBy, metadata },
    };
    return { settings, readAt };
  }

  #withoutInput(spec: DeclaredSchedule, submit: SubmitOptions): Pick<Checked, 'handler' | 'input' | 'options'> {
    const { registry, settings } = this.#environment;
    return {
      handler: registry.resolve(spec.handler),
      input: null,
      options: parseSubmit(submit, settings.maxInputBytes),
    };
  }

  /**
   * Whether the handler takes what a trigger gives it: a schedule that waits for an event may have no input of its own.
   * @throws {InputInvalidError}
   */
  async checkTrigger({ handler, rule, input }: StoredSchedule): Promise<void> {
    const isChecked = rule.on === null || input !== null || this.#environment.registry.find(handler) === undefined;
    if (!isChecked) await this.#checks.check(handler, undefined, undefined, null);
  }

  /** Of a handler that is registered. */
  defaultsOf(handler: string): StoredSchedule['handlerDefaults'] {
    const { priority, maxAttempts, maxLost, showsChildren } = this.#environment.registry.get(handler);
    return { priority, maxAttempts, maxLost, showsChildren };
  }
}

/** Its input is what will be published, and is checked then. */
function takesPayload({ on, input }: DeclaredSchedule): boolean {
  return (on ?? null) !== null && (input ?? null) === null;
}
