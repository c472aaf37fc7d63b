import type { OnFailure } from '../flow/rules.ts';
import type { AnyTask, RecordOf } from '../handler/define.ts';
import type { WireTask } from '../http/wire.ts';
import { type Listed, listedFromWire } from './record.ts';

/** What has to do with a task, as HTTP tells it: as `RelatedTasks`, but records may lack `input` and `result`. */
export type ClientRelated<R> = Readonly<{
  parent: Listed<R> | null;
  children: readonly Listed<R>[];
  dependencies: readonly ClientRelatedTask<R>[];
  dependents: readonly ClientRelatedTask<R>[];
  /** Its children and what depends on it, and theirs, not archived: what a deletion with `related` takes along. */
  below: readonly Listed<R>[];
  /** A list goes on. */
  truncated: boolean;
  /** The `cursor` of what follows in each list; null: there is nothing more. */
  next: string | null;
}>;

/** A task at the other end of a dependency. */
export type ClientRelatedTask<R> = Readonly<{ task: Listed<R>; onFailure: OnFailure; waiting: boolean }>;

interface WireEnd {
  readonly task: WireTask;
  readonly onFailure: OnFailure;
  readonly waiting: boolean;
}

/** As it is answered. */
export interface WireRelated {
  readonly items: readonly WireTask[];
  readonly parent: WireTask | null;
  readonly children: readonly WireTask[];
  readonly dependencies: readonly WireEnd[];
  readonly dependents: readonly WireEnd[];
  readonly truncated: boolean;
  readonly next: string | null;
}

/** The same with records as the library has them. */
export function relatedFromWire<T extends AnyTask>(wire: WireRelated): ClientRelated<RecordOf<T>> {
  const end = ({ task, ...edge }: WireEnd): ClientRelatedTask<RecordOf<T>> => ({
    ...edge,
    task: listedFromWire<T>(task),
  });
  return {
    parent: wire.parent === null ? null : listedFromWire<T>(wire.parent),
    children: wire.children.map((task) => listedFromWire<T>(task)),
    dependencies: wire.dependencies.map(end),
    dependents: wire.dependents.map(end),
    below: wire.items.map((task) => listedFromWire<T>(task)),
    truncated: wire.truncated,
    next: wire.next,
  };
}
