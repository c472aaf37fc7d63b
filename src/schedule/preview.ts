import { OptionError } from '../errors.ts';
import type { Optional } from '../handler/define.ts';
import { integer } from '../options.ts';
import { parseTime } from '../submit/options.ts';
import { hasRunsLeft, nextTick } from './editor.ts';
import { parseRule, type ScheduleRule } from './spec.ts';
import type { StoredSchedule } from './stored-schedule.ts';
import { timelineOf } from './timeline.ts';
import type { Next } from './wall-rule.ts';

/** A rule to look ahead with; `from`: default now. */
export type PreviewSpec = ScheduleRule & Optional<{ from: Date | number; maxRuns: number | null }>;

const MAX_PREVIEW = 1_000;
const DEFAULT_PREVIEW = 10;
const BREATHE_MS = 10;

/** The next ticks of a rule that nobody has stored. @param now epoch ms @throws {OptionError} */
export async function previewRule(spec: PreviewSpec, count: unknown, now: number): Promise<readonly number[]> {
  if (spec === null || typeof spec !== 'object') throw new OptionError('spec', 'an object, or a key', spec);
  const maxRuns = (spec.maxRuns ?? null) === null ? MAX_PREVIEW : integer('maxRuns', spec.maxRuns, 1);
  const most = Math.min(parseCount(count), maxRuns);
  const from = spec.from === undefined ? now : parseTime('from', spec.from);
  const next = await timelineOf(await parseRule(spec, from));
  return ticksOf(next, next(from), most);
}

/** The ticks that a stored schedule has before it; those of a paused one as if it went on now. @throws {OptionError} */
export async function previewStored(schedule: StoredSchedule, count: unknown, now: number): Promise<readonly number[]> {
  const { pausedAt, maxRuns, runs, rule } = schedule;
  const most = Math.min(parseCount(count), maxRuns === null ? MAX_PREVIEW : maxRuns - runs);
  if (!hasRunsLeft(schedule)) return [];
  const first = pausedAt === null ? schedule.nextTick : await nextTick(schedule, now);
  return ticksOf(await timelineOf(rule), first, most);
}

function parseCount(count: unknown): number {
  return integer('count', count ?? DEFAULT_PREVIEW, 1, MAX_PREVIEW);
}

async function ticksOf(next: Next, first: number | null, most: number): Promise<readonly number[]> {
  const ticks: number[] = [];
  let breathed = performance.now();
  for (let tick = first; tick !== null && ticks.length < most; tick = next(tick)) {
    ticks.push(tick);
    if (performance.now() - breathed < BREATHE_MS) continue;
    await new Promise(setImmediate); // some rules are hard to compute, and others have work to do
    breathed = performance.now();
  }
  return ticks;
}
