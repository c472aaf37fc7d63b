import {
  ERROR_STATUS,
  type ErrorCode,
  IdempotencyConflictError,
  InputInvalidError,
  type InputIssue,
  OptionError,
  PayloadTooLargeError,
  QueueFullError,
  RelatedTasksError,
  StorageError,
  TasklaneError,
  TransitionError,
  UniqueConflictError,
} from '../errors.ts';
import { answer, type HeaderFields, phrase } from './answer.ts';

/** The `code` of a problem document: those of the library, and one that only a result that is asked for too early has. */
export type ProblemCode = ErrorCode | 'task_unfinished';

/** Codes whose status the library does not fix, as they are no errors of a route there. */
const OWN_STATUS: Readonly<Partial<Record<ProblemCode, number>>> = {
  task_unfinished: 409,
  task_failed: 409,
  task_cancelled: 409,
};

/** Seconds after which a refused request is worth another try. */
const RETRY_AFTER = '1';

/** What a problem document says beside `type`, `title`, `status`, `detail` and `code`. */
export type ProblemMembers = Readonly<Record<string, unknown>>;

/** What a route throws to be answered with a problem document. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly code: ProblemCode;
  readonly members: ProblemMembers;
  readonly headers: HeaderFields;
  /** @param detail for the caller's eyes: what came and what is allowed */
  constructor(code: ProblemCode, detail: string, members: ProblemMembers = {}, headers: HeaderFields = {}) {
    super(detail);
    this.code = code;
    this.members = members;
    this.headers = headers;
  }
}

/** Faults that a problem document names: to tell all of a large body would answer it with one many times as large. */
const MAX_ISSUES = 100;
/** Of so many tasks that are in the way of a deletion an answer tells; `GET /tasks/{id}/related` has all. */
const MAX_RELATED = 1_000;
/** Faults that its `detail` names. */
const MAX_IN_DETAIL = 10;

/** The body is well-formed, but not what the route takes. */
export class BodyInvalidProblem extends HttpProblem {
  constructor(errors: readonly InputIssue[]) {
    const named = errors
      .slice(0, MAX_IN_DETAIL)
      .map(({ path, message }) => (path ? `${path}: ${message}` : message))
      .join('; ');
    const more = errors.length > MAX_IN_DETAIL ? `; and ${errors.length - MAX_IN_DETAIL} more` : '';
    super('input_invalid', `The body is not valid: ${named}${more}`, { errors: errors.slice(0, MAX_ISSUES) });
  }
}

/** The HTTP status of a code. */
export function statusOf(code: ProblemCode): number {
  return OWN_STATUS[code] ?? (code === 'task_unfinished' ? null : ERROR_STATUS[code]) ?? 500;
}

/**
 * What a caller is told of anything that was thrown. What is not known to be meant for him becomes `internal`, which says
 * nothing, and is reported to the process as a warning.
 */
export function toProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof StorageError) {
    // its message may name files and statements of this machine
    report(error);
    const headers: HeaderFields = error.retryable ? { 'retry-after': RETRY_AFTER } : {};
    return new HttpProblem(error.code, 'The storage of the tasks cannot do this at present.', {}, headers);
  }
  if (error instanceof TasklaneError && ERROR_STATUS[error.code] !== 500) {
    const headers: HeaderFields = error instanceof QueueFullError ? { 'retry-after': RETRY_AFTER } : {};
    return new HttpProblem(error.code, error.message, membersOf(error), headers);
  }
  report(error);
  return new HttpProblem(
    'internal',
    'Something went wrong on this side. Nothing is known to be wrong with the request.',
  );
}

/** A problem document (RFC 9457) of anything that was thrown. */
export function problem(error: unknown): Response {
  const { code, message, members, headers } = toProblem(error);
  const status = statusOf(code);
  const document = { type: 'about:blank', title: phrase(status), status, detail: message, code, ...members };
  return answer(status, JSON.stringify(document), {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    ...headers,
  });
}

function membersOf(error: TasklaneError): ProblemMembers {
  if (error instanceof InputInvalidError) return { errors: error.issues.slice(0, MAX_ISSUES) };
  if (error instanceof OptionError) return { errors: [{ path: error.option, message: error.message }] };
  if (error instanceof PayloadTooLargeError) return { bytes: error.bytes, maxBytes: error.maxBytes };
  if (error instanceof TransitionError) return { allowed: error.allowed };
  if (error instanceof UniqueConflictError || error instanceof IdempotencyConflictError) {
    return { taskId: error.taskId };
  }
  if (error instanceof RelatedTasksError) return { related: error.related.slice(0, MAX_RELATED) };
  return {};
}

/** The caller is told nothing, so the operator must be. */
function report(error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  globalThis.process?.emitWarning?.(text, { type: 'TasklaneWarning' });
}
