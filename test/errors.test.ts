import * as tasklane from 'tasklane';
import { describe, expect, test } from 'vitest';
import { ERROR_STATUS } from '../src/errors.ts';
import { show } from '../src/show.ts';
import { HTTP_CODES } from './support/http-codes.ts';
import { storedTask } from './support/stored-task.ts';

const task = storedTask();

describe('errors', () => {
  test('have the codes of the contract, and the HTTP status of each', () => {
    expect(ERROR_STATUS).toEqual({
      option_invalid: 400,
      input_invalid: 422,
      handler_unknown: 422,
      payload_too_large: 413,
      task_not_found: 404,
      schedule_not_found: 404,
      schedule_exists: 409,
      transition_refused: 409,
      version_conflict: 412,
      unique_conflict: 409,
      idempotency_conflict: 422,
      related_tasks: 409,
      queue_full: 503,
      manager_closed: 503,
      cursor_invalid: 400,
      task_failed: null,
      task_cancelled: null,
      lease_stale: 409,
      storage_failed: 503,
      storage_newer: 503,
      storage_locked: 503,
      storage_corrupt: 503,
      storage_full: 503,
      storage_readonly: 503,
      malformed: 400,
      unauthenticated: 401,
      forbidden: 403,
      route_unknown: 404,
      method_not_allowed: 405,
      idempotency_in_flight: 409,
      unsupported_media_type: 415,
      rate_limited: 429,
      internal: 500,
    });
  });

  const each: [code: string, error: tasklane.TasklaneError, has: object][] = [
    ['option_invalid', new tasklane.OptionError('delay', 'a duration', 'soon'), { option: 'delay' }],
    [
      'input_invalid',
      new tasklane.InputInvalidError('It', [{ path: 'a', message: 'no' }]),
      { issues: [{ path: 'a', message: 'no' }] },
    ],
    ['handler_unknown', new tasklane.UnknownHandlerError('a', []), {}],
    ['payload_too_large', new tasklane.PayloadTooLargeError('input', 5, 4), { bytes: 5, maxBytes: 4 }],
    ['task_not_found', new tasklane.TaskNotFoundError('task_1'), {}],
    ['schedule_not_found', new tasklane.ScheduleNotFoundError('nightly'), {}],
    ['schedule_exists', new tasklane.ScheduleExistsError('nightly'), {}],
    [
      'transition_refused',
      new tasklane.TransitionError('task_1', 'a cancel', 'failed', ['queued']),
      { allowed: ['queued'] },
    ],
    ['version_conflict', new tasklane.VersionConflictError('task_1', 1, 2), {}],
    ['unique_conflict', new tasklane.UniqueConflictError('k', 'task_1'), { taskId: 'task_1' }],
    ['idempotency_conflict', new tasklane.IdempotencyConflictError('k', 'task_1'), { taskId: 'task_1' }],
    [
      'related_tasks',
      new tasklane.RelatedTasksError('task_1', 'has related tasks', ['task_2']),
      { related: ['task_2'] },
    ],
    ['queue_full', new tasklane.QueueFullError(5), {}],
    ['manager_closed', new tasklane.ManagerClosedError(), {}],
    ['cursor_invalid', new tasklane.CursorError('it was changed'), {}],
    ['task_failed', new tasklane.TaskFailedError(task), { task }],
    ['task_cancelled', new tasklane.TaskCancelledError(task), { task, reason: null }],
    ['lease_stale', new tasklane.StaleLeaseError('task_1'), {}],
    ['storage_failed', new tasklane.StorageError('It failed.'), { ambiguous: false, retryable: false }],
    ['storage_newer', new tasklane.StorageNewerError('It failed.'), { ambiguous: false, retryable: false }],
    ['storage_locked', new tasklane.StorageLockedError('It failed.'), { ambiguous: false, retryable: true }],
    ['storage_corrupt', new tasklane.StorageCorruptError('It failed.'), { ambiguous: false, retryable: false }],
    ['storage_full', new tasklane.StorageFullError('It failed.'), { ambiguous: false, retryable: true }],
    ['storage_readonly', new tasklane.StorageReadonlyError('It failed.'), { ambiguous: false, retryable: false }],
  ];
  test.each(each)('%s: its class, its name, what it has', (code, error, has) => {
    expect(error).toBeInstanceOf(tasklane.TasklaneError);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ code, ...has });
    expect(error.name).toBe(error.constructor.name);
    expect(error.message).toMatch(/\S/);
    expect(String(error)).toBe(`${error.name}: ${error.message}`);
    if (code.startsWith('storage_')) expect(error).toBeInstanceOf(tasklane.StorageError);
  });

  test('every code of the library itself has its class', () => {
    expect([...each.map(([code]) => code), ...HTTP_CODES]).toEqual(Object.keys(ERROR_STATUS));
  });

  test('a storage’s error keeps its cause, and says whether the write may have happened', () => {
    const cause = new Error('disk');
    const error = new tasklane.StorageError('It failed.', { cause, ambiguous: true, retryable: true });
    expect(error).toMatchObject({ cause, ambiguous: true, retryable: true });
    expect('cause' in new tasklane.StorageError('It failed.')).toBe(false);
  });

  test.each([
    ['text', '"text"'],
    ['x'.repeat(200), `"${'x'.repeat(80)}…"`],
    [5n, '5n'],
    [Number.NaN, 'NaN'],
    [null, 'null'],
    [undefined, 'undefined'],
    [() => {}, 'a function'],
    [[1], 'an array'],
    [Object.create(null), 'an object'],
    [Symbol('s'), 'Symbol(s)'],
  ])('show what came, and never throw', (value, text) => {
    expect(show(value)).toBe(text);
  });
});

describe("import 'tasklane'", () => {
  test('gives these names', () => {
    expect(Object.keys(tasklane).sort()).toEqual(
      [
        'TaskManager',
        'defineTask',
        'MemoryStorage',
        'Snooze',
        'TaskAbort',
        'ERROR_STATUS',
        'TasklaneError',
        'OptionError',
        'InputInvalidError',
        'UnknownHandlerError',
        'PayloadTooLargeError',
        'TransitionError',
        'TaskNotFoundError',
        'ScheduleNotFoundError',
        'ScheduleExistsError',
        'VersionConflictError',
        'UniqueConflictError',
        'IdempotencyConflictError',
        'RelatedTasksError',
        'QueueFullError',
        'ManagerClosedError',
        'CursorError',
        'TaskFailedError',
        'TaskCancelledError',
        'StaleLeaseError',
        'StorageError',
        'StorageNewerError',
        'StorageLockedError',
        'StorageCorruptError',
        'StorageFullError',
        'StorageReadonlyError',
      ].sort(),
    );
  });
});
