import type { Environment } from '../environment.ts';
import type { Checked, SubmitCheck } from '../submit/check.ts';
import { parseSubmit, type SubmitOptions } from '../submit/options.ts';
import { checkKeys, type DeclaredSchedule, parseManner, parseRule, SUBMIT_KEYS } from './spec.ts';
import type { ScheduleSettings, StoredSchedule } from './stored-schedule.ts';

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
  async read(spec: DeclaredSchedule, mayBeOver = false): Promise<ScheduleSettings> {
    checkKeys(spec);
    const given = SUBMIT_KEYS.filter((key) => (spec[key] ?? null) !== null);
    const submit = Object.fromEntries(given.map((key) => [key, spec[key]]));
    const { handler, input, options } = takesPayload(spec)
      ? this.#withoutInput(spec, submit)
      : await this.#checks.check(spec.handler, spec.input, submit, null);
    const { priority, startByMs: startBy, tags, description, entityId, submittedBy, metadata } = options;
    return {
      handler: handler.name,
      input,
      rule: await parseRule(spec, this.#environment.clock.now(), mayBeOver),
      ...parseManner(spec),
      ...{ priority, startBy, tags, description, entityId, submittedBy, metadata },
    };
  }

  #withoutInput(spec: DeclaredSchedule, submit: SubmitOptions): Pick<Checked, 'handler' | 'input' | 'options'> {
    const { registry, settings } = this.#environment;
    return {
      handler: registry.resolve(spec.handler),
      input: null,
      options: parseSubmit(submit, settings.maxInputBytes),
    };
  }

  /** Of a handler that is registered. */
  defaultsOf(handler: string): StoredSchedule['handlerDefaults'] {
    const { priority, maxAttempts, maxLost } = this.#environment.registry.get(handler);
    return { priority, maxAttempts, maxLost };
  }
}

/** Its input is what will be published, and is checked then. */
function takesPayload({ on, input }: DeclaredSchedule): boolean {
  return (on ?? null) !== null && (input ?? null) === null;
}
