import type { Environment } from '../environment.ts';
import { InputInvalidError, TasklaneError } from '../errors.ts';
import type { TaskWarning } from '../events.ts';
import type { AnyTask } from '../handler/define.ts';
import type { Handler } from '../handler/registry.ts';
import { validate } from '../handler/schema.ts';
import { Serving } from '../serving.ts';
import { isA, toErrorInfo } from '../task/failure.ts';
import { cloneJson, type JsonValue, toJson } from '../task/json.ts';
import { coalesce } from './coalesce.ts';
import { checkWaiting, type DraftHandler, type PlaceInFlow } from './draft.ts';
import { type ParsedSubmit, PLAIN_SUBMIT, parseSubmit, type SubmitOptions } from './options.ts';

/** A submit that was checked, and has no id yet. */
export interface Checked {
  readonly handler: DraftHandler;
  readonly input: JsonValue;
  readonly options: ParsedSubmit;
  readonly warnings: readonly TaskWarning[];
  /** What it is submitted with, or by; left out for most. */
  readonly flow?: PlaceInFlow;
  /** Of the schedule that makes it. */
  readonly scheduleId?: string | undefined;
}

const NO_WARNINGS: readonly TaskWarning[] = Object.freeze([]);

/** Checks what is submitted: the handler, the options, the input, and what the caller should be warned of. */
export class SubmitCheck {
  readonly #environment: Environment;
  readonly #serving: Serving;

  constructor(environment: Environment) {
    this.#environment = environment;
    this.#serving = new Serving(environment);
  }

  /**
   * @param more keys that are allowed beside the options
   * @param runsHere whether this process runs tasks; null: it has not started, or closes
   * @returns a promise only where a schema or a warning needs time
   * @throws {TasklaneError}
   */
  check(
    name: AnyTask | string,
    input: unknown,
    options: SubmitOptions | undefined,
    runsHere: boolean | null,
    more?: readonly string[],
  ): Checked | Promise<Checked> {
    const { registry, settings } = this.#environment;
    const handler = registry.resolve(name);
    const parsed = options === undefined ? PLAIN_SUBMIT : parseSubmit(options, settings.maxInputBytes, more);
    const stored = input === undefined ? null : toJson(input, 'input', settings.maxInputBytes);
    const checked: Checked = { handler, input: stored, options: parsed, warnings: this.#warningsOf(handler, parsed) };
    const elsewhere = runsHere !== null && (!runsHere || handler.definition.run === undefined);
    // The copy: a schema may change what it is given, and it will be given the stored one.
    const validated =
      handler.definition.input && this.#validate(handler, stored === null ? undefined : cloneJson(stored));
    if (!elsewhere && !(validated instanceof Promise)) return finish(checked, handler);
    return this.#checkLater(checked, handler, validated, elsewhere);
  }

  /** What a submit for a handler is warned of, whatever its input and options. @throws {UnknownHandlerError} */
  async warningsOf(name: string, runsHere: boolean | null): Promise<readonly TaskWarning[]> {
    const handler = this.#environment.registry.resolve(name);
    const elsewhere = runsHere !== null && (!runsHere || handler.definition.run === undefined);
    const warnings = this.#warningsOf(handler, PLAIN_SUBMIT);
    return elsewhere && !(await this.#serving.has(name)) ? [...warnings, unserved(name)] : warnings;
  }

  async #checkLater(checked: Checked, handler: Handler, validated: unknown, elsewhere: boolean): Promise<Checked> {
    await validated;
    if (!elsewhere || (await this.#serving.has(handler.name))) return finish(checked, handler);
    return finish({ ...checked, warnings: [...checked.warnings, unserved(handler.name)] }, handler);
  }

  /**
   * Checks what is for a handler that this process does not know: its tasks are for others, whose schema will see the input.
   * @throws {TasklaneError}
   */
  async checkElsewhere(
    handler: DraftHandler,
    input: unknown,
    options: SubmitOptions,
    more: readonly string[],
  ): Promise<Checked> {
    const { maxInputBytes } = this.#environment.settings;
    const parsed = parseSubmit(options, maxInputBytes, more);
    const stored = input === undefined ? null : toJson(input, 'input', maxInputBytes);
    const warnings = (await this.#serving.has(handler.name)) ? NO_WARNINGS : [unserved(handler.name)];
    return refuseWarned({ handler, input: stored, options: parsed, warnings });
  }

  #validate({ definition }: Handler, input: unknown): unknown {
    const unfit = (error: unknown): never => {
      if (isA(TasklaneError, error)) throw error;
      throw new InputInvalidError('The schema failed', [{ path: '', message: toErrorInfo(error).message }]);
    };
    try {
      const validated = definition.input && validate(definition.input, input);
      return validated instanceof Promise ? validated.catch(unfit) : validated;
    } catch (error) {
      return unfit(error);
    }
  }

  #warningsOf({ name, definition }: Handler, options: ParsedSubmit): readonly TaskWarning[] {
    const { deprecated } = definition;
    const late = options.runAt !== null && options.runAt < this.#environment.clock.now();
    if (!late && !deprecated) return NO_WARNINGS;
    const warnings: TaskWarning[] = [];
    if (late) warnings.push({ code: 'run_at_past', message: '`runAt` has passed; the task runs at once.' });
    if (deprecated) {
      const instead = typeof deprecated === 'string' ? ` ${deprecated}` : '';
      warnings.push({ code: 'handler_deprecated', message: `Handler ${name} is deprecated.${instead}` });
    }
    return warnings;
  }
}

/** A submit with `failOnWarning` was warned of. Its issues name what was submitted, and nothing in the input. */
export class WarnedError extends InputInvalidError {}

/** The end of a check, once the input is known to fit. */
function finish(checked: Checked, handler: Handler): Checked {
  const { input, options } = refuseWarned(checked);
  checkWaiting(options, options.dependsOn.length > 0);
  const { coalescing } = options;
  if (coalescing === false || options.unique !== null) return checked;
  if (coalescing === null && (handler.coalescing === null || goesItsOwnWay(handler, options))) return checked;
  const collapsed = { ...options, unique: coalesce(handler, coalescing, input) };
  checkWaiting(collapsed, options.dependsOn.length > 0);
  return { ...checked, options: collapsed };
}

function refuseWarned(checked: Checked): Checked {
  const { options, warnings } = checked;
  if (!options.failOnWarning || warnings.length === 0) return checked;
  throw new WarnedError(
    'The submit has warnings',
    warnings.map(({ code, message }) => ({ path: code === 'run_at_past' ? 'runAt' : 'handler', message })),
  );
}

function unserved(handler: string): TaskWarning {
  const message = `No live process runs the tasks of handler ${handler}; the task waits for one.`;
  return { code: 'handler_unserved', message };
}

/** Whoever says when a task is to run does not mean it to be debounced. */
function goesItsOwnWay({ coalescing }: Handler, { delayMs, runAt, hold }: ParsedSubmit): boolean {
  return coalescing?.by === 'debounce' && (delayMs !== null || runAt !== null || hold);
}
