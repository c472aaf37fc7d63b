import type { InputIssue } from '../../../errors.ts';
import { BodyInvalidProblem, HttpProblem, type ProblemCode, statusOf } from '../../problem.ts';
import type { Refusal } from '../dialect.ts';

/** Statuses that differ from those of our own API: there is but one for what a task, or a body, does not allow. */
const STATUS: Readonly<Partial<Record<ProblemCode, number>>> = {
  input_invalid: 400,
  handler_unknown: 400,
  transition_refused: 400,
  related_tasks: 400,
  idempotency_conflict: 400,
};

/** What is wrong with a body or a query, rather than with the moment. */
const INVALID: readonly ProblemCode[] = ['input_invalid', 'handler_unknown', 'option_invalid', 'malformed'];

/** One thing that is wrong, or may be. */
interface ValidationIssue {
  readonly severity: 'ERROR' | 'WARNING';
  readonly type: string;
  readonly message: string;
  readonly details?: object;
}

/** Waylay's `ErrorResponse`, with `details` where something about the request is invalid. */
export function refuse(problem: HttpProblem): Refusal {
  const { code, members } = problem;
  const statusCode = statusCodeOf(problem);
  const error = textOf(problem);
  if (!INVALID.includes(code)) return { status: statusCode, body: { statusCode, error } };
  const { errors = [], warnings } = members as {
    errors?: readonly InputIssue[];
    warnings?: readonly ValidationIssue[];
  };
  const details = warnings ?? detailsOf(errors, error);
  return { status: statusCode, body: { statusCode, error, code: 'VALIDATION', details } };
}

/** What has warnings, where they are not wanted. */
export function warned(messages: readonly string[]): HttpProblem {
  const warnings = messages.map((message): ValidationIssue => ({ severity: 'WARNING', type: 'VALIDATION', message }));
  return new HttpProblem('input_invalid', messages.join(' '), { warnings });
}

/** The HTTP status of an error here. */
export function statusCodeOf({ code }: HttpProblem): number {
  return STATUS[code] ?? statusOf(code);
}

/** The text of an error, in Waylay's words where it has some. */
export function textOf(problem: HttpProblem): string {
  const { code, message, members } = problem;
  if (code === 'task_not_found') return message.replace(/^No task has the id "(.*)"\.$/s, 'Task with id $1 not found');
  const issues = (members.errors ?? []) as readonly InputIssue[];
  if (code === 'option_invalid') return issues.map(toldOf).join('; ');
  if (!(problem instanceof BodyInvalidProblem)) return message;
  const all = issues.map((issue) => (issue.path === '' ? issue.message : `${fieldOf(issue)}: ${issue.message}`));
  return `The body is not valid: ${all.join('; ')}`;
}

/** How a specification calls what is ours. */
const FIELDS: Readonly<Record<string, string>> = {
  input: 'variables',
  handler: 'template',
  description: 'name',
  entityId: 'resource',
  every: 'frequency',
  on: 'resource',
};

function fieldOf({ path }: InputIssue): string {
  const [head = '', ...below] = path.split('.');
  return [(Object.hasOwn(FIELDS, head) && FIELDS[head]) || head, ...below].join('.');
}

/** What is wrong with a field, in a sentence that begins with its name. */
function toldOf(issue: InputIssue): string {
  const { path, message } = issue;
  if (path === '') return message;
  const rest = message.replace(`\`${path}\` must be`, 'must be').replace(/^It (?=must|is )/, '');
  return `${fieldOf(issue)}${/^[A-Z]/.test(rest) ? ':' : ''} ${rest}`;
}

function detailsOf(issues: readonly InputIssue[], error: string): readonly ValidationIssue[] {
  if (issues.length === 0) return [{ severity: 'ERROR', type: 'VALIDATION', message: error }];
  return issues.map((issue) => ({
    severity: 'ERROR',
    type: 'VALIDATION',
    message: toldOf(issue),
    details: { path: fieldOf(issue) },
  }));
}
