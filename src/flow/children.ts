import type { AnyTask, InputOf, Optional, Resolve } from '../handler/define.ts';
import type { InputKey, SubmitOptions } from '../submit/options.ts';
import type { OnFailure } from './rules.ts';

/** What is inferred of an item that is submitted with others: its handler, and those of its children. */
export interface ItemShape<Tasks extends AnyTask = AnyTask> {
  readonly handler: AnyTask | Tasks['name'];
  readonly children?: readonly ItemShape<Tasks>[] | undefined;
}

/** What an item may say beside the options of a submit: what the others call it in their `dependsOn`. */
export type ItemOptions = Optional<{ ref: string }>;

/** What a child may say beside: what becomes of its parent when it fails or is cancelled; default `fail`. */
export type ChildOptions = ItemOptions & Optional<{ onFailure: OnFailure }>;

/** Items of these shapes as they must be, however deep: the input of each is that of its handler. */
export type Items<Tasks extends AnyTask, Shapes, Own = ItemOptions> = {
  readonly [I in keyof Shapes]: Item<Tasks, Shapes[I], Own & Omit<SubmitOptions, 'children'>>;
};

/** The same of children. */
export type Children<Tasks extends AnyTask, Shapes> = Items<Tasks, Shapes, ChildOptions>;

/** The definition of an item. */
export type TaskOf<Tasks extends AnyTask, Shape> = Shape extends { readonly handler: infer T }
  ? Resolve<Tasks, T>
  : never;

// What is found by a name is looked up, not told apart by a condition: so the compiler sees that more definitions allow more,
// and takes a `TaskManager<typeof handlers>` where any manager will do.
type InputByName<Tasks extends AnyTask> = { readonly [T in Tasks as T['name']]: InputOf<T> };
type InputKeyByName<Tasks extends AnyTask> = { readonly [T in Tasks as T['name']]: InputKey<InputOf<T>> };

type InputOfItem<Tasks extends AnyTask, Shape> = Shape extends { readonly handler: infer T }
  ? T extends AnyTask
    ? InputOf<T>
    : InputByName<Tasks>[T & keyof InputByName<Tasks>]
  : never;
type InputKeyOfItem<Tasks extends AnyTask, Shape> = Shape extends { readonly handler: infer T }
  ? T extends AnyTask
    ? InputKey<InputOf<T>>
    : InputKeyByName<Tasks>[T & keyof InputKeyByName<Tasks>]
  : never;

// A map of what was written, so that the compiler finds the shape in it, and says of each key what is wrong with it.
type Item<Tasks extends AnyTask, Shape, Own> = Shape extends unknown
  ? {
      readonly [K in keyof Shape]: K extends 'handler'
        ? Shape[K]
        : K extends 'input'
          ? InputOfItem<Tasks, Shape>
          : K extends 'children'
            ? Children<Tasks, Shape[K]>
            : K extends keyof Own
              ? Own[K]
              : never;
    } & InputKeyOfItem<Tasks, Shape> &
      Own
  : never;
