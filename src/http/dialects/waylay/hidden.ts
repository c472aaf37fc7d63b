import { canonicalJson, type JsonValue } from '../../../task/json.ts';
import type { TaskRecord } from '../../../task/record.ts';
import type { Caller } from '../../caller.ts';
import { BodyInvalidProblem } from '../../problem.ts';
import { isObject, type Specification } from './specification.ts';

/**
 * A specification with what `redact` hid from whoever sends it: a client reads `conf`, changes it and puts it back, and what it
 * was shown in place of the true value must not become the value.
 * @throws {BodyInvalidProblem} where it is for another handler, which would be given what is hidden from the caller
 */
export function withHidden(caller: Caller, task: TaskRecord, specification: Specification): Specification {
  const { input: shown } = caller.redacted(task);
  const { input: sent, handler } = specification;
  if (isSame(shown, task.input)) return specification;
  if (handler !== task.handler) {
    if (holdsShown(sent, shown, task.input)) throw hiddenProblem();
    return specification;
  }
  // what is no object is not shown in `conf` at all
  const isUnseen = sent === undefined && !isObject(shown);
  const input = isUnseen ? task.input : restored(sent, shown, task.input);
  return { ...specification, input: input ?? undefined };
}

function hiddenProblem(): BodyInvalidProblem {
  return new BodyInvalidProblem([
    { path: 'variables', message: 'holds what is hidden from you, for another template' },
  ]);
}

/** What was sent, with the true value wherever it is as it was shown, and with the keys that were not shown. */
function restored(sent: unknown, shown: unknown, real: unknown): unknown {
  if (isSame(shown, real)) return sent;
  if (isSame(sent, shown)) return real;
  if (isObject(sent) && isObject(shown) && isObject(real)) {
    const unseen = Object.keys(real).filter((key) => !Object.hasOwn(shown, key));
    const keys = [...new Set([...Object.keys(sent), ...unseen])];
    const entries = keys.flatMap((key): [string, unknown][] => {
      if (!Object.hasOwn(sent, key)) return [[key, real[key]]];
      if (!Object.hasOwn(shown, key)) return [[key, sent[key]]];
      if (!Object.hasOwn(real, key)) return isSame(sent[key], shown[key]) ? [] : [[key, sent[key]]];
      return [[key, restored(sent[key], shown[key], real[key])]];
    });
    return Object.fromEntries(entries);
  }
  if (Array.isArray(sent) && Array.isArray(shown) && Array.isArray(real) && shown.length === real.length) {
    return sent.map((one, at) => (at < shown.length ? restored(one, shown[at], real[at]) : one));
  }
  return sent;
}

/** Whether something of it is what was shown in place of the true value. */
function holdsShown(sent: unknown, shown: unknown, real: unknown): boolean {
  if (sent === undefined || isSame(shown, real)) return false;
  if (isSame(sent, shown)) return true;
  if (isObject(sent) && isObject(shown)) {
    const below = isObject(real) ? real : {};
    return Object.keys(sent).some((key) => Object.hasOwn(shown, key) && holdsShown(sent[key], shown[key], below[key]));
  }
  if (!Array.isArray(sent) || !Array.isArray(shown)) return false;
  return sent.some((one, at) => at < shown.length && holdsShown(one, shown[at], Array.isArray(real) ? real[at] : null));
}

function isSame(a: unknown, b: unknown): boolean {
  return canonicalJson((a ?? null) as JsonValue) === canonicalJson((b ?? null) as JsonValue);
}
