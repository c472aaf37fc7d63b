import { HttpProblem, statusOf } from '../../problem.ts';
import type { Refusal } from '../dialect.ts';

/** A parameter of the query is not what it may be: 422, with `HTTPValidationError` as body. */
export class ParameterProblem extends HttpProblem {
  readonly loc: readonly string[];
  readonly type: string;
  constructor(name: string, message: string, type = 'value_error') {
    super('input_invalid', message);
    this.loc = ['query', name];
    this.type = type;
  }
}

/** The `code` of `HttpErrorOut`, by status. */
const CODES: Readonly<Record<number, string>> = {
  401: 'authentication_failed',
  403: 'insufficient access',
  404: 'not_found',
  405: 'method_not_allowed',
  409: 'conflict',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  429: 'rate_limit_exceeded',
};

/** Every error is JSON, also where it is ours: clients parse whatever comes. */
export function refuse(problem: HttpProblem): Refusal {
  const { code, message } = problem;
  const status = statusOf(code);
  if (problem instanceof ParameterProblem) {
    return { status, body: { detail: [{ loc: problem.loc, msg: message, type: problem.type }] } };
  }
  const word = CODES[status] ?? (status >= 500 ? 'server_error' : 'generic_error');
  return { status, body: { code: word, detail: message } };
}
