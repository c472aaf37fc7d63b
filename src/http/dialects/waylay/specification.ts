import type { InputIssue } from '../../../errors.ts';
import { isTag } from '../../../task/query.ts';
import type { Tag } from '../../../task/record.ts';
import { BodyInvalidProblem } from '../../problem.ts';
import type { Wanted } from '../../submission.ts';
import type { Submitting, ToSubmit } from '../options.ts';

/** An object of JSON. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** When a task runs. */
export type ScenarioType = 'scheduled' | 'periodic' | 'onetime' | 'reactive';

/** All that there are. */
export const TYPES: readonly ScenarioType[] = ['scheduled', 'periodic', 'onetime', 'reactive'];

/** A `TaskSpecification` that was checked: from a template, or a rule of its own. */
export interface Specification {
  readonly handler: string;
  readonly input: unknown;
  readonly name: string;
  readonly type: ScenarioType;
  readonly start: boolean;
  readonly resource: string | null;
  readonly tags: Readonly<Record<string, Tag>>;
  /** What else it says: of ours, metadata. */
  readonly metadata: JsonObject;
  /** Ms. */
  readonly frequency: number | null;
  readonly cron: string | null;
  readonly rrule: string | null;
  readonly timeZone: string | null;
}

/** Collects all that is wrong, so that one answer tells of it. */
class Issues {
  readonly found: InputIssue[] = [];

  add(path: string, message: string): void {
    this.found.push({ path, message });
  }

  text(path: string, value: unknown): string {
    if (typeof value === 'string' && value !== '') return value;
    this.add(path, value === undefined ? 'is required' : 'must be text');
    return '';
  }

  optionalText(path: string, value: unknown): string | null {
    return value === undefined ? null : this.text(path, value);
  }

  object(path: string, value: unknown): JsonObject {
    if (value === undefined) return {};
    if (isObject(value)) return value;
    this.add(path, 'must be an object');
    return {};
  }
}

/** How a specification is read. */
export interface SpecificationSettings {
  /** Runs rules that name no template; null: there are none. */
  readonly ruleHandler: string | null;
  /** Changes what is submitted. */
  readonly submit?: Submitting<Omit<ToSubmit, 'submittedBy'>> | null;
}

/** Reads a `TaskSpecification`. @throws {BodyInvalidProblem} with all that is wrong */
export function specificationOf(sent: unknown, { ruleHandler, submit = null }: SpecificationSettings): Specification {
  const issues = new Issues();
  if (!isObject(sent)) throw new BodyInvalidProblem([{ path: '', message: 'must be an object' }]);
  const body = withoutNulls(sent);
  const isRule = body.template === undefined && body.task !== undefined;
  const specification = isRule ? ruleOf(body, ruleHandler, issues) : fromTemplate(body, issues);
  if (issues.found.length > 0) throw new BodyInvalidProblem(issues.found);
  if (submit === null) return specification;
  const { handler, input, name, resource, tags } = specification;
  const made = submit({ handler, input, description: name, entityId: resource ?? undefined, tags }, body);
  return {
    ...specification,
    handler: made.handler,
    input: made.input,
    name: made.description ?? name,
    resource: made.entityId ?? null,
    tags: made.tags ?? {},
  };
}

/** A specification as our own API has a submit. */
export function wantedOf({ handler, input, name, start, resource, tags, metadata }: Specification): Wanted {
  return {
    handler,
    input,
    description: name,
    ...(resource === null ? undefined : { entityId: resource }),
    tags,
    metadata,
    ...(start ? undefined : { hold: true }),
  };
}

function fromTemplate(body: JsonObject, issues: Issues): Specification {
  const { template, name: _name, resource: _resource, tags: _tags, variables, ...own } = body;
  const handler = issues.text('template', template);
  const input = variables === undefined ? undefined : issues.object('variables', variables);
  return { handler, input, ...commonOf('', body, own, issues) };
}

/** All of a rule is the input of the handler that runs rules. */
function ruleOf(body: JsonObject, ruleHandler: string | null, issues: Issues): Specification {
  if (ruleHandler === null) issues.add('template', 'is required: this server runs no rules of their own');
  const task = withoutNulls(issues.object('task', body.task));
  for (const part of ['sensors', 'actuators', 'relations', 'triggers']) {
    const value = body[part];
    if (value !== undefined && !Array.isArray(value)) issues.add(part, 'must be an array');
  }
  const { name: _name, resource: _resource, tags: _tags, variables: _variables, ...own } = task;
  return { handler: ruleHandler ?? '', input: body, ...commonOf('task.', task, { rule: true, ...own }, issues) };
}

/** @param at where in the body it stands @param own what is kept as it is, to be given back */
function commonOf(
  at: string,
  from: JsonObject,
  own: JsonObject,
  issues: Issues,
): Omit<Specification, 'handler' | 'input'> {
  const { type, start, frequency, resourceType } = from;
  if (type === undefined) issues.add(`${at}type`, 'is required');
  else if (!TYPES.includes(type as ScenarioType)) issues.add(`${at}type`, `must be one of ${TYPES.join(', ')}`);
  if (start !== undefined && typeof start !== 'boolean') issues.add(`${at}start`, 'must be true or false');
  const cron = issues.optionalText(`${at}cron`, from.cron);
  const rrule = issues.optionalText(`${at}rrule`, from.rrule);
  const isPeriod = Number.isSafeInteger(frequency) && (frequency as number) >= 1;
  if (type === 'periodic' && !isPeriod) issues.add(`${at}frequency`, 'must be an integer of ms, for a periodic task');
  if (type === 'scheduled' && cron === null && rrule === null) {
    issues.add(`${at}cron`, 'or rrule is required, for a scheduled task');
  }
  if (type === 'scheduled' && cron !== null && rrule !== null) issues.add(`${at}rrule`, 'must be left out beside cron');
  return {
    name: issues.text(`${at}name`, from.name),
    type: type as ScenarioType,
    start: start !== false,
    resource: issues.optionalText(`${at}resource`, from.resource),
    tags: tagsOf(`${at}tags`, from.tags, issues),
    metadata: { waylay: own, ...(typeof resourceType === 'string' ? { resourceType } : undefined) },
    frequency: isPeriod ? (frequency as number) : null,
    cron,
    rrule,
    timeZone: issues.optionalText(`${at}timeZone`, from.timeZone),
  };
}

function tagsOf(path: string, value: unknown, issues: Issues): Readonly<Record<string, Tag>> {
  const tags = issues.object(path, value);
  for (const [key, tag] of Object.entries(tags)) {
    if (!isTag(tag)) issues.add(`${path}.${key}`, 'must be text, a number or a boolean');
  }
  return tags as Readonly<Record<string, Tag>>;
}

/** What typed clients leave out they may send as null. */
export function withoutNulls(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

/** Whether a value of JSON is an object. */
export function isObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
