import { z } from 'zod';
import { VersionConflictError } from '../../errors.ts';
import type { ChangeOptions } from '../../schedule/editor.ts';
import type { DeclaredSchedule } from '../../schedule/spec.ts';
import type { ScheduleRecord } from '../../schedule/stored-schedule.ts';
import { answer, json } from '../answer.ts';
import type { Caller } from '../caller.ts';
import type { HttpContext } from '../context.ts';
import { changedMeanwhile, etagOf, IF_MATCH, requireMatch } from '../headers.ts';
import { HttpProblem } from '../problem.ts';
import { badParameter } from '../query.ts';
import { retryAfter } from '../retry-after.ts';
import { type Route, route } from '../route.ts';
import { requireInterval } from '../schedule-interval.ts';
import {
  Preview,
  PreviewBody,
  Schedule,
  ScheduleBody,
  SchedulePageSchema,
  SchedulePath,
  ScheduleReplacement,
} from '../schedule-schemas.ts';
import { hearsOwnEvents, permittedSchedule, showSchedule, taskOf } from '../schedules.ts';
import { Flag, Task } from '../schemas.ts';
import { bodyProblem, submitterOf } from '../submission.ts';
import { wireTime } from '../wire.ts';

const BODY = ['input_invalid', 'option_invalid', 'payload_too_large', 'unsupported_media_type'] as const;
const MADE = [...BODY, 'handler_unknown', 'rate_limited'] as const;

const ListQuery = z.strictObject({
  handler: z.string().optional(),
  submittedBy: z.string().optional(),
  entityId: z.string().optional(),
  on: z.string().optional(),
  paused: Flag.optional(),
  /** `tag.<key>=<value>` */
  tag: z.record(z.string(), z.array(z.string()).length(1, { error: 'It may be given only once' })).optional(),
  q: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(1_000).optional(),
  cursor: z.string().optional(),
});

/** What recurs. Of a schedule a caller may do what he may do with a task that it makes. */
export function scheduleRoutes(context: HttpContext): readonly Route[] {
  const { manager, inside, settings, submission } = context;
  const { schedules } = manager;
  const take = (caller: Caller): Promise<void> | undefined => submission.take(caller);

  /** With the name that its tasks will have; what is wrong is told as of a body. */
  async function stored<T>(caller: Caller, body: Omit<z.output<typeof ScheduleBody>, 'key'>, way: Way<T>): Promise<T> {
    const { handler, input, description, entityId, metadata, tags } = body;
    const wanted = { handler, input, metadata, priority: body.priority ?? undefined, tags: tags ?? undefined };
    const texts = { description: description ?? undefined, entityId: entityId ?? undefined };
    const submittedBy = submitterOf(
      { ...wanted, ...texts, submittedBy: body.submittedBy ?? way.before?.submittedBy ?? undefined },
      caller,
    );
    const isBound = (body.on ?? null) !== null;
    const ownEvents = isBound && hearsOwnEvents(caller, way.before);
    const spec = { ...body, submittedBy, ownEvents } as Omit<DeclaredSchedule, 'key'>;
    await requireInterval(context, spec);
    return way.store(spec).catch((error: unknown) => {
      throw bodyProblem(error);
    });
  }

  const shown = (status: number, caller: Caller, schedule: ScheduleRecord, headers = {}): Response =>
    json(status, showSchedule(caller, schedule), { etag: etagOf(schedule.version), ...headers });

  /** What `If-Match` found is what is changed, or nothing is. @throws {HttpProblem} 412 */
  async function atMatch<T>(
    headers: Headers,
    before: ScheduleRecord,
    change: (options: ChangeOptions) => Promise<T>,
  ): Promise<T> {
    const name = `Schedule ${before.key}`;
    requireMatch(headers, before, name);
    return change(headers.has('if-match') ? { ifVersion: before.version } : {}).catch((error: unknown) => {
      throw error instanceof VersionConflictError ? changedMeanwhile(name) : error;
    });
  }

  const list = route({
    method: 'GET',
    path: '/schedules',
    id: 'listSchedules',
    tag: 'schedules',
    summary: 'Schedules that match a filter, by key, a page at a time',
    query: ListQuery,
    answers: { 200: SchedulePageSchema },
    problems: ['option_invalid'],
    async handle({ query: { q, tag = {}, cursor, limit = Math.min(50, settings.pageSize), ...filter }, caller }) {
      if (limit > settings.pageSize) throw badParameter('limit', `It may be at most ${settings.pageSize}`);
      const tags = Object.fromEntries(Object.entries(tag).map(([key, [value = '']]) => [key, value]));
      const query = { filter: { ...filter, tags, text: q }, limit, cursor };
      const page = await inside.listSchedules(query, (schedule) => caller.reads(taskOf(schedule)));
      return json(200, { ...page, items: page.items.map((schedule) => showSchedule(caller, schedule)) });
    },
  });

  const create = route({
    method: 'POST',
    path: '/schedules',
    id: 'createSchedule',
    tag: 'schedules',
    summary: 'Make a schedule: a task for each of its ticks',
    body: ScheduleBody,
    answers: { 201: Schedule },
    problems: [...MADE, 'schedule_exists'],
    guard: take,
    async handle({ body, caller, link }) {
      const store = (spec: Omit<DeclaredSchedule, 'key'>) =>
        schedules.create({ ...spec, key: body.key } as Parameters<typeof schedules.create>[0]);
      const made = await stored(caller, body, { store });
      return shown(201, caller, made, { location: link(`/schedules/${encodeURIComponent(made.key)}`) });
    },
  });

  const preview = route({
    method: 'POST',
    path: '/schedules/preview',
    id: 'previewSchedule',
    tag: 'schedules',
    summary: 'The next ticks of a rule; nothing is made',
    body: PreviewBody,
    answers: { 200: Preview },
    problems: [...BODY, 'rate_limited'],
    guard: take,
    async handle({ body: { count, ...spec } }) {
      const ticks = await schedules.preview(spec, count).catch((error: unknown) => {
        throw bodyProblem(error);
      });
      return json(200, { items: ticks.map(wireTime) });
    },
  });

  const previewStored = route({
    method: 'GET',
    path: '/schedules/:key/preview',
    id: 'previewStoredSchedule',
    tag: 'schedules',
    summary: 'The next ticks of a schedule; of a paused one as if it went on now',
    params: SchedulePath,
    query: z.strictObject({ count: z.coerce.number().int().min(1).max(1_000).optional() }),
    answers: { 200: Preview },
    problems: ['schedule_not_found', 'rate_limited'],
    guard: take,
    async handle({ params: { key }, query: { count }, caller }) {
      await permittedSchedule(context, caller, 'read', key);
      return json(200, { items: (await schedules.preview(key, count)).map(wireTime) });
    },
  });

  const get = route({
    method: 'GET',
    path: '/schedules/:key',
    id: 'getSchedule',
    tag: 'schedules',
    summary: 'One schedule',
    params: SchedulePath,
    answers: { 200: Schedule },
    problems: ['schedule_not_found'],
    handle: async ({ params: { key }, caller }) =>
      shown(200, caller, await permittedSchedule(context, caller, 'read', key)),
  });

  const replace = route({
    method: 'PUT',
    path: '/schedules/:key',
    id: 'replaceSchedule',
    tag: 'schedules',
    summary: 'Give a schedule another rule, handler, input or options: what is left out has its default again',
    params: SchedulePath,
    body: ScheduleReplacement,
    headers: IF_MATCH,
    answers: { 200: Schedule },
    problems: [...MADE, 'schedule_not_found', 'version_conflict'],
    guard: take,
    async handle({ params: { key }, body, request, caller }) {
      const before = await permittedSchedule(context, caller, 'update', key);
      if (body.key !== undefined && body.key !== key) {
        throw new HttpProblem('option_invalid', '`key` must be that of the path, or left out.');
      }
      const store = (spec: Omit<DeclaredSchedule, 'key'>) =>
        atMatch(request.headers, before, (options) =>
          schedules.replace(key, { ...spec, key } as Parameters<typeof schedules.replace>[1], options),
        );
      return shown(200, caller, await stored(caller, body, { before, store }));
    },
  });

  const remove = route({
    method: 'DELETE',
    path: '/schedules/:key',
    id: 'deleteSchedule',
    tag: 'schedules',
    summary: 'Delete a schedule; its tasks stay',
    params: SchedulePath,
    headers: IF_MATCH,
    answers: { 204: { type: null, description: 'Deleted' } },
    problems: ['schedule_not_found', 'version_conflict'],
    async handle({ params: { key }, request, caller }) {
      const before = await permittedSchedule(context, caller, 'delete', key);
      await atMatch(request.headers, before, (options) => schedules.delete(key, options));
      return answer(204, null);
    },
  });

  const [pause, resume] = (['pause', 'resume'] as const).map((action) =>
    route({
      method: 'POST',
      path: `/schedules/:key/${action}`,
      id: `${action}Schedule`,
      tag: 'schedules',
      summary:
        action === 'pause'
          ? 'No tick makes a task until it is resumed'
          : 'Go on with the next tick of a paused schedule',
      params: SchedulePath,
      headers: IF_MATCH,
      answers: { 200: Schedule },
      problems: ['schedule_not_found', 'version_conflict'],
      async handle({ params: { key }, request, caller }) {
        const before = await permittedSchedule(context, caller, 'update', key);
        return shown(200, caller, await atMatch(request.headers, before, (options) => schedules[action](key, options)));
      },
    }),
  ) as [Route, Route];

  const trigger = route({
    method: 'POST',
    path: '/schedules/:key/trigger',
    id: 'triggerSchedule',
    tag: 'schedules',
    summary: 'Make a task at once, beside those of the ticks, paused or not',
    params: SchedulePath,
    answers: { 202: Task },
    problems: ['schedule_not_found', 'input_invalid', 'queue_full', 'rate_limited', 'task_not_found'],
    guard: take,
    async handle({ params: { key }, caller, link }) {
      await permittedSchedule(context, caller, 'runNow', key);
      const { id } = await schedules.trigger(key);
      const task = await manager.get(id, { archived: true });
      if (task === null) throw new HttpProblem('task_not_found', `Task ${id} was deleted as soon as it was there.`);
      const headers = { location: link(`/tasks/${id}`), etag: etagOf(task.version) };
      return json(202, caller.show(task), { ...headers, 'retry-after': retryAfter(task, Date.now()) });
    },
  });

  return [list, create, preview, previewStored, get, replace, remove, pause, resume, trigger];
}

/** How a schedule is stored; `owner`: in whose name, where the body does not say. */
interface Way<T> {
  /** What is replaced. */
  readonly before?: ScheduleRecord;
  store(spec: Omit<DeclaredSchedule, 'key'>): Promise<T>;
}
