import type { AnyTask, RecordOf } from '../handler/define.ts';
import type { WireTask } from '../http/wire.ts';

/** The keys of a record that hold a time. */
const TIMES = [
  'tick',
  'runAt',
  'startBy',
  'createdAt',
  'queuedAt',
  'startedAt',
  'finishedAt',
  'updatedAt',
  'archivedAt',
  'cancelRequestedAt',
] as const satisfies readonly (keyof WireTask)[];

/** A record as lists and events have it: `input` and `result` only where they were asked for. */
export type Listed<R> = R extends unknown
  ? Omit<R, 'input' | 'result'> & Partial<Pick<R, Extract<keyof R, 'input' | 'result'>>>
  : never;

/** A record as the library has it, its times in epoch ms. Keys that are not known here are kept. */
export function fromWire<T extends AnyTask>(task: WireTask): RecordOf<T> {
  const times = Object.fromEntries(TIMES.map((key) => [key, epochMs(task[key])]));
  const progress = task.progress === null ? null : { ...task.progress, at: Date.parse(task.progress.at) };
  return { ...task, ...times, progress } as unknown as RecordOf<T>;
}

/** The same of a record that may lack `input` and `result`. */
export function listedFromWire<T extends AnyTask>(task: WireTask): Listed<RecordOf<T>> {
  return fromWire<T>(task) as unknown as Listed<RecordOf<T>>;
}

function epochMs(time: string | null): number | null {
  return time === null ? null : Date.parse(time);
}
