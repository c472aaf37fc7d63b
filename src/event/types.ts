import type { AnyTask } from '../handler/define.ts';

/** What `defineTask` adds to the type of a definition that is bound to events; of any other, nothing. */
export type Bound<On, Payload, Submitted> =
  string extends EventIn<On> ? unknown : { readonly on: On; fromEvent?(payload: Payload, event: string): Submitted };

type EventIn<On> = On extends string ? On : On extends readonly string[] ? On[number] : never;

/** Of these definitions, those that an event starts. */
type BoundTo<Tasks extends AnyTask, Event extends string> = Tasks extends AnyTask
  ? string extends EventIn<Tasks['on']>
    ? never
    : Event extends EventIn<Tasks['on']>
      ? Tasks
      : never
  : never;

/** One function for each definition: what it takes is what all of them take together. */
type Takers<Tasks> = Tasks extends { fromEvent?(payload: infer Payload, event: string): unknown }
  ? (payload: Payload) => void
  : never;

/** A payload that fits all definitions that an event starts; anything where none is known. */
export type PayloadOf<Tasks extends AnyTask, Event extends string> = [BoundTo<Tasks, Event>] extends [never]
  ? unknown
  : Takers<BoundTo<Tasks, Event>> extends (payload: infer Payload) => void
    ? Payload
    : never;

/** The definitions whose tasks an event starts, as far as they are known; else any. */
export type StartedBy<Tasks extends AnyTask, Event extends string> = [BoundTo<Tasks, Event>] extends [never]
  ? AnyTask
  : BoundTo<Tasks, Event>;
