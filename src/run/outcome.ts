import { PayloadTooLargeError } from '../errors.ts';
import { type AbortCode, Snooze, TaskAbort } from '../handler/abort.ts';
import type { Handler } from '../handler/registry.ts';
import type { Settings } from '../options.ts';
import { isA, toErrorInfo } from '../task/failure.ts';
import { type JsonValue, toJson } from '../task/json.ts';
import type { TaskErrorInfo, TaskRecord } from '../task/record.ts';
import {
  type Baseline,
  cancelled,
  countedAttempts,
  fail,
  giveBack,
  retry,
  type Steps,
  snooze,
  succeed,
} from '../task/transition.ts';

/** What an outcome is decided from. */
export interface Circumstances {
  readonly task: TaskRecord;
  readonly baseline: Baseline;
  readonly handler: Handler;
  readonly settings: Settings;
  /** Why its signal was aborted, if it was. */
  readonly aborted: AbortCode | null;
  /** Tells of a `retryable` or `backoff` that threw. */
  readonly onError: (error: unknown) => void;
}

/** Where the next attempt waits when its backoff cannot say how long. */
const FALLBACK_DELAY_MS = 1_000;

/** The handler returned. After a cancel that still is a success; after its timeout it is too late. */
export function returned(value: unknown, at: Circumstances): Steps {
  if (at.aborted === 'timeout') return timedOut(at);
  let result: JsonValue;
  try {
    result = value === undefined ? null : toJson(value, 'result', at.settings.maxResultBytes);
  } catch (error) {
    return fail(toErrorInfo(error, isA(PayloadTooLargeError, error) ? 'payload_too_large' : 'result_invalid'));
  }
  return succeed(result);
}

/** The handler threw. Being stopped is not failing. */
export function threw(error: unknown, at: Circumstances): Steps {
  switch (at.aborted) {
    case 'cancelled':
      return cancelled();
    case 'shutdown':
      return giveBack();
    case 'timeout':
      return timedOut(at);
    default:
      return isA(Snooze, error) ? snoozed(error, at) : failed(error, toErrorInfo(error), at);
  }
}

/** The handler did not end within its grace after its signal was aborted. */
export function ignored(at: Circumstances): Steps {
  return threw(undefined, at);
}

function timedOut(at: Circumstances): Steps {
  const message = `The attempt took longer than ${at.handler.timeoutMs} ms.`;
  const info: TaskErrorInfo = { name: 'TaskTimeoutError', message, code: 'timeout' };
  return failed(new TaskAbort('timeout'), info, at);
}

function snoozed({ delayMs }: Snooze, at: Circumstances): Steps {
  const { maxSnoozes } = at.settings;
  if (at.task.snoozed - at.baseline.snoozed < maxSnoozes) return snooze(delayMs);
  const message = `It snoozed more than ${maxSnoozes} times.`;
  return fail({ name: 'TaskSnoozedError', message, code: 'snoozed_too_often' });
}

function failed(error: unknown, info: TaskErrorInfo, at: Circumstances): Steps {
  const counted = countedAttempts(at.task, at.baseline);
  if (counted >= at.task.maxAttempts || !isRetryable(error, at)) return fail(info);
  let delayMs = FALLBACK_DELAY_MS;
  try {
    delayMs = at.handler.backoff(counted, error);
  } catch (problem) {
    at.onError(problem);
  }
  return retry(info, delayMs);
}

function isRetryable(error: unknown, at: Circumstances): boolean {
  try {
    return at.handler.definition.retryable?.(error) ?? true;
  } catch (problem) {
    at.onError(problem);
    return true;
  }
}
