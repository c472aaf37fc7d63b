import type { InputIssue } from '../../../errors.ts';
import { canonicalJson, type JsonValue } from '../../../task/json.ts';
import type { TaskRecord } from '../../../task/record.ts';
import type { Caller } from '../../caller.ts';
import { BodyInvalidProblem } from '../../problem.ts';
import { isObject, type Specification } from './specification.ts';

/** Each item of a list that changed is compared with each that was shown: no more than so many. */
const MAX_PAIRS = 10_000;

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
    if (holdsMask(sent, masksOf(shown, task.input))) throw hiddenProblem('for another template');
    return specification;
  }
  // what is no object is not shown in `conf` at all
  const isUnseen = sent === undefined && !isObject(shown);
  const input = isUnseen ? task.input : restored(sent, shown, task.input);
  return { ...specification, input: input ?? undefined };
}

/**
 * What went wrong with an input of which the caller does not know all: schemas write what they got into what they say of it.
 * @param known what he sent, or sees @param input what was made of it
 */
export function withoutHidden(error: unknown, known: unknown, input: unknown): unknown {
  if (!(error instanceof BodyInvalidProblem) || isSame(known, input)) return error;
  const issues = error.members.errors as readonly InputIssue[];
  const others = issues.filter(({ path }) => !/^input(\.|$)/.test(path));
  if (others.length === issues.length) return error;
  return new BodyInvalidProblem([...others, { path: 'input', message: 'is not valid with what is hidden from you' }]);
}

function hiddenProblem(why: string): BodyInvalidProblem {
  return new BodyInvalidProblem([{ path: 'variables', message: `holds what is hidden from you, ${why}` }]);
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
  return Array.isArray(sent) && Array.isArray(shown)
    ? restoredList(sent, shown, Array.isArray(real) ? real : [])
    : sent;
}

/**
 * The same of a list, whose items may have moved: one that is as it was shown is found wherever it is, another is taken for
 * that of its place. What cannot be told is refused: it must not get what was hidden of another.
 * @throws {BodyInvalidProblem}
 */
function restoredList(sent: readonly unknown[], shown: readonly unknown[], real: readonly unknown[]): unknown[] {
  if (sent.length * shown.length > MAX_PAIRS) throw hiddenProblem('in a list too long to tell what of it changed');
  const texts = shown.map(textOf);
  const reals = shown.map((_, at) => textOf(real[at]));
  const places = sent.map((one, at) => {
    const text = textOf(one);
    const same = texts.flatMap((other, place) => (other === text ? [place] : []));
    if (sent.length === shown.length && same.includes(at)) return at;
    const [first] = same;
    return first !== undefined && same.every((place) => reals[place] === reals[first]) ? first : null;
  });
  const masks = shown.flatMap((one, at) => masksOf(one, real[at]));
  const isFixed = shown.length === real.length && sent.length === shown.length;
  return sent.map((one, at) => {
    const place = places[at] ?? null;
    if (place !== null && shown.length === real.length) return real[place];
    if (isFixed && !places.includes(at)) return restored(one, shown[at], real[at]);
    if (holdsMask(one, masks)) throw hiddenProblem('in a list that is another now');
    return one;
  });
}

/** What was shown in place of a true value. */
interface Mask {
  readonly path: readonly string[];
  /** As JSON. */
  readonly text: string;
}

/** Where something is shown in place of the true value, as far inside as it can be told. */
function masksOf(shown: unknown, real: unknown, path: readonly string[] = []): readonly Mask[] {
  if (isSame(shown, real)) return [];
  const isList = Array.isArray(shown);
  if (!isList && !isObject(shown)) return [{ path, text: textOf(shown) }];
  const held = (isList ? Array.isArray(real) : isObject(real)) ? (real as object) : {};
  const below = Object.entries(shown).flatMap(([key, one]) => masksOf(one, ownOf(held, key), [...path, key]));
  return below.length > 0 ? below : [{ path, text: textOf(shown) }];
}

/** Whether something of it is what was shown in place of the true value. */
function holdsMask(sent: unknown, masks: readonly Mask[]): boolean {
  return masks.some(({ path, text }) => {
    const found = path.reduce((from, key) => ownOf(from, key), sent);
    return found !== undefined && textOf(found) === text;
  });
}

function ownOf(from: unknown, key: string): unknown {
  return from !== null && typeof from === 'object' && Object.hasOwn(from, key)
    ? (from as Readonly<Record<string, unknown>>)[key]
    : undefined;
}

function isSame(a: unknown, b: unknown): boolean {
  return textOf(a) === textOf(b);
}

function textOf(value: unknown): string {
  return canonicalJson((value ?? null) as JsonValue);
}
