import { checkKeys } from '../../bag.ts';
import { OptionError } from '../../errors.ts';
import type { Optional } from '../../handler/define.ts';
import type { Tag, TaskRecord } from '../../task/record.ts';
import { type Duration, parseDuration } from '../../time/duration.ts';
import type { DialectDefinition, Refusal } from './dialect.ts';

/** What every dialect takes. */
export type DialectOptions = Optional<{
  /** Path in front of the published ones, such as `/jira`; default: none. */
  basePath: string;
  /** Where absolute URLs start, such as `https://tasks.example.com`; default: where the request went. */
  origin: string;
  /** Changes what is told of a task: gets that, and the task, and gives what is told instead. Default: as it is. */
  show: Show;
  /** Changes how an error is answered: gets that, and its code, and gives what is answered instead. Default: as it is. */
  refuse: (refusal: Refusal, code: string) => Refusal;
}>;

/** Changes what is told of a task. @param shown what would be, to be left as it is */
export type Show = (shown: Readonly<Record<string, unknown>>, task: TaskRecord) => object;

/** What a create is made into, before it is submitted. */
export type ToSubmit = { readonly handler: string } & Optional<{
  input: unknown;
  submittedBy: string;
  description: string;
  entityId: string;
  tags: Readonly<Record<string, Tag>>;
}>;

/** Changes what a create submits. @param asked what would be @param body what was sent, checked */
export type Submitting<Made = ToSubmit> = (asked: Made, body: Readonly<Record<string, unknown>>) => Made;

/** What every dialect is made with, checked. */
export interface DialectBase {
  readonly basePath: string;
  readonly origin: string | null;
  readonly refuse: DialectDefinition['refuse'];
  readonly show: Show | null;
}

/** What is told of a task, as the app has it. */
export function told(show: Show | null, shown: object, task: TaskRecord): object {
  return show === null ? shown : show(shown as Readonly<Record<string, unknown>>, task);
}

/** Checks what every dialect takes. @param known the options of the dialect beside those @throws {OptionError} */
export function parseDialectOptions(name: string, options: DialectOptions, known: readonly string[]): DialectBase {
  checkKeys(name, options, ['basePath', 'origin', 'show', 'refuse', ...known]);
  const { basePath = '', origin } = options;
  if (typeof basePath !== 'string' || !/^(\/[A-Za-z0-9._~-]+)*\/?$/.test(basePath)) {
    throw new OptionError(`${name}.basePath`, 'a path such as /jira', basePath);
  }
  if (
    origin !== undefined &&
    (typeof origin !== 'string' || !URL.canParse(origin) || new URL(origin).origin !== origin)
  ) {
    throw new OptionError(`${name}.origin`, 'an origin such as https://tasks.example.com', origin);
  }
  const { show = null, refuse = null } = options;
  checkFunctions(name, { show, refuse });
  return { basePath: basePath.replace(/\/$/, ''), origin: origin ?? null, show, refuse };
}

/** A duration, or false for one without an end. @returns ms; Infinity for false @throws {OptionError} */
export function parseAge(option: string, value: Duration | false): number {
  return value === false ? Number.POSITIVE_INFINITY : parseDuration(option, value);
}

/** One of a few words. @throws {OptionError} */
export function oneOf<T>(option: string, value: T, allowed: readonly T[]): T {
  if (allowed.includes(value)) return value;
  throw new OptionError(option, allowed.map((one) => JSON.stringify(one)).join(' or '), value);
}

/** Functions that an app gives, where it gives some. @throws {OptionError} */
export function checkFunctions(name: string, functions: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(functions)) {
    if (value !== null && value !== undefined && typeof value !== 'function')
      throw new OptionError(`${name}.${key}`, 'a function', value);
  }
}
