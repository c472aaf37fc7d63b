import { TaskNotFoundError } from '../errors.ts';
import type { AnyTask } from '../handler/define.ts';
import type { Principal, TaskAction } from '../handler/rights.ts';
import { matches } from '../task/query.ts';
import type { LogLine, TaskRecord } from '../task/record.ts';
import type { Policy } from './policy.ts';
import { principalKey } from './principal-key.ts';
import { HttpProblem } from './problem.ts';
import { type Scope, scopeOf } from './scope.ts';
import { ALL_PAYLOADS, type Payloads, toWire, type WireTask } from './wire.ts';

/** Hides or masks what leaves: gives what is sent in place of `value`. Of a log line the value is its message. */
export type Redact<P extends Principal = Principal> = (
  value: unknown,
  part: 'input' | 'result' | 'log',
  task: TaskRecord,
  principal: P | null,
) => unknown;

/** What rights follow from. */
export interface Rules {
  readonly policy: Policy;
  /** What is not allowed is answered as if it were not there. */
  readonly hideForbidden: boolean;
  readonly redact: Redact | null;
  readonly definitionOf: (handler: string) => AnyTask | undefined;
}

const VERBS: Readonly<Record<TaskAction, string>> = {
  submit: 'submit',
  read: 'read',
  cancel: 'cancel',
  restart: 'restart',
  runNow: 'run',
  update: 'change',
  delete: 'delete',
};

/** Who asks, and what of the tasks there is for him. The only way from a task to an answer leads through it. */
export class Caller {
  /** Null: the app does not ask who it is, and everything is allowed. */
  readonly principal: Principal | null;
  readonly scope: Scope;
  readonly #rules: Rules;

  constructor(principal: Principal | null, rules: Rules) {
    this.principal = principal;
    this.#rules = rules;
    this.scope = principal === null ? null : scopeOf(rules.policy, principal);
  }

  /** Whose limits his requests count against. */
  get id(): string {
    return this.principal?.id ?? '';
  }

  /** Equal for callers that get the same answers. */
  get rightsKey(): string {
    return JSON.stringify([principalKey(this.principal), this.scope]);
  }

  /** The same principal, whose rights are asked for anew. */
  fresh(): Caller {
    return this.principal === null ? this : new Caller(this.principal, this.#rules);
  }

  /** Whether a task exists for him. */
  sees(task: TaskRecord): boolean {
    return this.scope === null || this.scope.some((condition) => matches(task, condition));
  }

  /** Whether he may do this with a task that he sees. */
  may(action: TaskAction, task: TaskRecord): boolean {
    const { principal } = this;
    if (principal === null) return true;
    const { policy, definitionOf } = this.#rules;
    if (policy.can(principal, action, task) !== true) return false;
    const definition = definitionOf(task.handler);
    return definition?.authorize === undefined || definition.authorize(principal, action, task) === true;
  }

  /** Whether he sees a task and may read it. */
  reads(task: TaskRecord): boolean {
    return this.sees(task) && this.may('read', task);
  }

  /** Whether he may submit in this name; his own is always his. */
  maySubmitAs(userId: string): boolean {
    const { principal } = this;
    if (principal === null || principal.id === userId) return true;
    return this.#rules.policy.submitAs?.(principal, userId) === true;
  }

  /**
   * Lets a task through to what is to be done with it.
   * @param task null: there is none
   * @throws {TaskNotFoundError} the same for a task that there is not and for one that does not exist for him
   * @throws {HttpProblem} 403
   */
  check(action: TaskAction, task: TaskRecord | null, id: string): TaskRecord {
    if (task === null || !this.sees(task)) throw new TaskNotFoundError(id);
    if (this.may(action, task)) return task;
    if (this.#rules.hideForbidden) throw new TaskNotFoundError(id);
    throw new HttpProblem('forbidden', `You may not ${VERBS[action]} task ${id}.`);
  }

  /** A task as he is answered it. */
  show(task: TaskRecord, payloads: Payloads = ALL_PAYLOADS): WireTask {
    return toWire(this.redacted(task, payloads), payloads);
  }

  /** The record of a task with what he may see of its input and result. @param payloads the others are left as they are */
  redacted(task: TaskRecord, payloads: Payloads = ALL_PAYLOADS): TaskRecord {
    if (this.#rules.redact === null || (!payloads.input && !payloads.result)) return task;
    const input = payloads.input ? this.#redacted(task.input, 'input', task) : task.input;
    const result = payloads.result ? this.#redacted(task.result, 'result', task) : task.result;
    return { ...task, input, result };
  }

  /** The result of a task as he is answered it. */
  showResult(task: TaskRecord): unknown {
    return this.#redacted(task.result, 'result', task) ?? null;
  }

  /** The message of a log line as he is answered it. */
  showLog({ message }: Pick<LogLine, 'message'>, task: TaskRecord): string {
    const shown = this.#redacted(message, 'log', task);
    return typeof shown === 'string' ? shown : (JSON.stringify(shown) ?? '');
  }

  /** What is not there needs no hiding. */
  #redacted(value: unknown, part: 'input' | 'result' | 'log', task: TaskRecord): unknown {
    const { redact } = this.#rules;
    if (redact === null || value === null || value === undefined) return value;
    return redact(value, part, task, this.principal);
  }
}
