import {
  CursorError,
  ERROR_STATUS,
  type ErrorCode,
  IdempotencyConflictError,
  InputInvalidError,
  ManagerClosedError,
  OptionError,
  PayloadTooLargeError,
  QueueFullError,
  RelatedTasksError,
  ScheduleExistsError,
  ScheduleNotFoundError,
  StaleLeaseError,
  StorageCorruptError,
  StorageError,
  StorageFullError,
  StorageLockedError,
  StorageNewerError,
  StorageReadonlyError,
  TasklaneError,
  TaskNotFoundError,
  TransitionError,
  UniqueConflictError,
  UnknownHandlerError,
  VersionConflictError,
} from '../errors.ts';

/** The members of a problem document (RFC 9457). */
type Document = Readonly<Record<string, unknown>>;

/** An error class, and what its instances have beside `code` and `message`. */
interface Known {
  // biome-ignore lint/complexity/noBannedTypes: only its prototype is needed, as the constructors make messages of their own
  readonly type: Function;
  readonly name: string;
  members?(document: Document): object;
}

const storage = (type: Known['type'], name: string): Known => ({
  type,
  name,
  members: ({ ambiguous, retryable }) => ({ ambiguous: ambiguous === true, retryable: retryable === true }),
});

/** By code. Whatever has no class of its own is a plain `TasklaneError`. */
const KNOWN: Readonly<Partial<Record<ErrorCode, Known>>> = {
  option_invalid: {
    type: OptionError,
    name: 'OptionError',
    members: ({ option, errors }) => ({ option: text(option) || text(list<{ path?: unknown }>(errors)[0]?.path) }),
  },
  input_invalid: {
    type: InputInvalidError,
    name: 'InputInvalidError',
    members: ({ errors }) => ({ issues: list(errors) }),
  },
  schedule_not_found: { type: ScheduleNotFoundError, name: 'ScheduleNotFoundError' },
  schedule_exists: { type: ScheduleExistsError, name: 'ScheduleExistsError' },
  handler_unknown: { type: UnknownHandlerError, name: 'UnknownHandlerError' },
  payload_too_large: {
    type: PayloadTooLargeError,
    name: 'PayloadTooLargeError',
    members: ({ bytes, maxBytes }) => ({ bytes: count(bytes), maxBytes: count(maxBytes) }),
  },
  task_not_found: { type: TaskNotFoundError, name: 'TaskNotFoundError' },
  transition_refused: {
    type: TransitionError,
    name: 'TransitionError',
    members: ({ allowed }) => ({ allowed: list(allowed) }),
  },
  version_conflict: { type: VersionConflictError, name: 'VersionConflictError' },
  unique_conflict: {
    type: UniqueConflictError,
    name: 'UniqueConflictError',
    members: ({ taskId }) => ({ taskId: text(taskId) }),
  },
  idempotency_conflict: {
    type: IdempotencyConflictError,
    name: 'IdempotencyConflictError',
    members: ({ taskId }) => ({ taskId: text(taskId) }),
  },
  related_tasks: {
    type: RelatedTasksError,
    name: 'RelatedTasksError',
    members: ({ related }) => ({ related: list(related) }),
  },
  queue_full: { type: QueueFullError, name: 'QueueFullError' },
  manager_closed: { type: ManagerClosedError, name: 'ManagerClosedError' },
  cursor_invalid: { type: CursorError, name: 'CursorError' },
  lease_stale: { type: StaleLeaseError, name: 'StaleLeaseError' },
  storage_failed: storage(StorageError, 'StorageError'),
  storage_newer: storage(StorageNewerError, 'StorageNewerError'),
  storage_locked: storage(StorageLockedError, 'StorageLockedError'),
  storage_corrupt: storage(StorageCorruptError, 'StorageCorruptError'),
  storage_full: storage(StorageFullError, 'StorageFullError'),
  storage_readonly: storage(StorageReadonlyError, 'StorageReadonlyError'),
};

/** What an answer without a problem document most likely means: it did not come from us, but from something in between. */
const BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'malformed',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'route_unknown',
  405: 'method_not_allowed',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  429: 'rate_limited',
};

/** The error of an answer, of the class that the library throws in process. @param what names the request */
export async function errorOf(response: Response, what: string): Promise<TasklaneError> {
  const document = await documentOf(response);
  const code = Object.hasOwn(ERROR_STATUS, text(document?.code)) ? (document?.code as ErrorCode) : null;
  if (document !== null && code !== null) return make(code, text(document.detail), document);
  const message = `${what} was answered with ${response.status} ${response.statusText}`.trimEnd();
  return make(BY_STATUS[response.status] ?? 'internal', `${message}, and no reason.`, {});
}

function make(code: ErrorCode, message: string, document: Document): TasklaneError {
  const known = KNOWN[code];
  if (known === undefined) return new TasklaneError(code, message);
  // the constructors of the classes would write messages of their own; the server has written this one
  const error = Reflect.construct(TasklaneError, [code, message], known.type) as TasklaneError;
  return Object.assign(error, { name: known.name }, known.members?.(document));
}

async function documentOf(response: Response): Promise<Document | null> {
  try {
    const body: unknown = JSON.parse(await response.text());
    return body !== null && typeof body === 'object' ? (body as Document) : null;
  } catch {
    return null;
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function count(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function list<T>(value: unknown): readonly T[] {
  return Array.isArray(value) ? value : [];
}
