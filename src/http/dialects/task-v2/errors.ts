import type { InputIssue } from '../../../errors.ts';
import { phrase } from '../../answer.ts';
import { type HttpProblem, type ProblemCode, statusOf } from '../../problem.ts';
import type { Refusal } from '../dialect.ts';

/** Statuses that differ from those of our own API: what a task's status does not allow is a fault of the field `status`. */
const STATUS: Readonly<Partial<Record<ProblemCode, number>>> = { transition_refused: 422, option_invalid: 422 };

/** The field that is at fault, where the problem itself names none. */
const FIELD: Readonly<Partial<Record<ProblemCode, string>>> = {
  transition_refused: 'status',
  handler_unknown: 'handler',
  idempotency_conflict: 'request',
};

/** The names that Yii 2 gives its exceptions. */
const TYPES: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  415: 'UnsupportedMediaType',
  429: 'TooManyRequests',
  500: 'ServerError',
};

/** An error as Yii 2 has it: 422 is a list of fields with what is wrong, all others one object. */
export function refuse(problem: HttpProblem): Refusal {
  const { code, message } = problem;
  const status = STATUS[code] ?? statusOf(code);
  if (status === 422) return { status, body: fieldErrors(problem) };
  const name = TYPES[status];
  const type = `yii\\web\\${name === undefined ? '' : name}HttpException`;
  return { status, body: { name: phrase(status), message, code: 0, status, type } };
}

function fieldErrors({ code, message, members }: HttpProblem): readonly { field: string; message: string }[] {
  const issues = (members.errors ?? []) as readonly InputIssue[];
  if (issues.length === 0) return [{ field: FIELD[code] ?? '', message }];
  return issues.map((issue) => {
    const [, below] = /^input(?:\.(.*))?$/s.exec(issue.path) ?? [];
    if (!issue.path.startsWith('input')) return { field: issue.path, message: issue.message };
    return { field: 'request', message: below === undefined ? issue.message : `${below}: ${issue.message}` };
  });
}
