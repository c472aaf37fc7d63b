import type { ScheduleRecord } from '../../../schedule/stored-schedule.ts';
import { matches, parseFilter } from '../../../task/query.ts';
import type { TaskRecord } from '../../../task/record.ts';
import { type Asked, type AskedSettings, isAskedFor } from './asked.ts';
import { runsOnce, scheduleStatusOf, taskOf, typeOf } from './schedule-entity.ts';
import type { JsonObject } from './specification.ts';

/** Whether a schedule is asked for. @param last its newest task, where it decides; looked at only for statuses and `finishedBefore` */
export function fits(
  schedule: ScheduleRecord,
  last: TaskRecord | null,
  asked: Asked,
  settings: AskedSettings,
): boolean {
  const answers = answersOf(schedule, last, asked, settings).filter((answer) => answer !== null);
  if (settings.match === 'any' && isAskedFor(asked)) return answers.includes(true);
  return !answers.includes(false);
}

/** Whether it fits, for each thing that is asked for; null: it is not. */
function answersOf(
  schedule: ScheduleRecord,
  last: TaskRecord | null,
  asked: Asked,
  settings: AskedSettings,
): readonly (boolean | null)[] {
  const { key, handler, description, submittedBy, entityId, metadata, tags, createdAt } = schedule;
  const resourceType = metadata === null || typeof metadata !== 'object' ? null : (metadata as JsonObject).resourceType;
  const plugins = asked.plugins?.flatMap(settings.plugins) ?? null;
  const text = asked.text?.toLowerCase();
  const searched = [key, handler, description, submittedBy, entityId];
  const tag = (name: string): string | null => (Object.hasOwn(tags, name) ? String(tags[name]) : null);
  const { finishedBefore, createdAfter, createdBefore, statuses } = asked;
  const finishedAt = runsOnce(schedule) ? last?.finishedAt : null;
  return [
    isIn(asked.ids, key),
    isIn(asked.names, description ?? handler),
    isIn(asked.resources, entityId),
    isIn(asked.resourceTypes, resourceType),
    isIn(asked.types, typeOf(schedule)),
    statuses === null ? null : statuses.includes(scheduleStatusOf(schedule, last, settings)),
    isIn(asked.templates, handler),
    isIn(asked.users, submittedBy ?? settings.noUser),
    isIn(plugins, handler),
    text === undefined ? null : searched.some((each) => each?.toLowerCase().includes(text) === true),
    ...asked.tags.map(([name, values]) => (values === null ? tag(name) !== null : values.includes(tag(name) ?? ''))),
    asked.tagKeys === null ? null : asked.tagKeys.some((name) => tag(name) !== null),
    finishedBefore === null ? null : (finishedAt ?? Number.POSITIVE_INFINITY) < finishedBefore,
    createdAfter === null ? null : createdAt > createdAfter,
    createdBefore === null ? null : createdAt < createdBefore,
    ...asked.own.map((filters) => filters.some((filter) => matches(taskOf(schedule), parseFilter(filter)))),
  ];
}

function isIn(list: readonly unknown[] | null, value: unknown): boolean | null {
  return list === null ? null : list.includes(value);
}
