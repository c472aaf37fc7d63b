import { AssertionError } from 'node:assert';
import type { AnyTask, InputOf, RecordOf, Resolve } from '../handler/define.ts';
import type { TaskManager } from '../manager.ts';

/** Any part of a value. */
export type PartOf<T> = T extends object ? { readonly [K in keyof T]?: PartOf<T[K]> } : T;

/** So many of a handler's tasks are looked at, the newest. */
const MOST = 1_000;

/**
 * Asserts that a task was submitted, whatever has become of it, and gives the newest that fits.
 * @param handler a definition or its name
 * @param input of an object, the keys that are named must be there; left out: any input
 * @throws {AssertionError} that shows what was submitted instead
 */
export async function assertSubmitted<
  Handlers extends readonly AnyTask[],
  Tasks extends AnyTask,
  T extends AnyTask | Tasks['name'],
>(
  manager: TaskManager<Handlers, Tasks>,
  handler: T,
  input?: PartOf<InputOf<Resolve<Tasks, T>>>,
): Promise<RecordOf<Resolve<Tasks, T>>> {
  const { name, tasks, fits } = await submitted(manager, handler, input);
  const found = tasks.find(fits);
  if (found !== undefined) return found as unknown as RecordOf<Resolve<Tasks, T>>;
  throw new AssertionError({
    message: `No task of ${name} was submitted${input === undefined ? '' : ' with such an input'}.`,
    actual: tasks.map((task) => task.input),
    expected: input,
    operator: 'assertSubmitted',
  });
}

/** The opposite of {@link assertSubmitted}. @throws {AssertionError} */
export async function assertNotSubmitted<
  Handlers extends readonly AnyTask[],
  Tasks extends AnyTask,
  T extends AnyTask | Tasks['name'],
>(manager: TaskManager<Handlers, Tasks>, handler: T, input?: PartOf<InputOf<Resolve<Tasks, T>>>): Promise<void> {
  const { name, tasks, fits } = await submitted(manager, handler, input);
  const found = tasks.find(fits);
  if (found === undefined) return;
  const message = `Task ${found.id} of ${name} was submitted.`;
  throw new AssertionError({ message, actual: found.input, operator: 'assertNotSubmitted' });
}

async function submitted(
  manager: Pick<TaskManager, 'list'> | object,
  handler: AnyTask | string,
  input: unknown,
): Promise<{
  readonly name: string;
  readonly tasks: readonly { readonly id: string; readonly input: unknown }[];
  fits(task: { readonly input: unknown }): boolean;
}> {
  const name = typeof handler === 'string' ? handler : handler.name;
  const { items } = await (manager as TaskManager).list({ filter: { handler: name, archived: 'both' }, limit: MOST });
  return { name, tasks: items, fits: (task) => input === undefined || hasPart(task.input, input) };
}

/** Of objects, the keys that are named; of lists, all of them. */
function hasPart(value: unknown, part: unknown): boolean {
  if (part === null || typeof part !== 'object') return Object.is(value, part);
  if (value === null || typeof value !== 'object' || Array.isArray(value) !== Array.isArray(part)) return false;
  if (Array.isArray(part) && part.length !== (value as readonly unknown[]).length) return false;
  return Object.entries(part).every(
    ([key, each]) => Object.hasOwn(value, key) && hasPart((value as Record<string, unknown>)[key], each),
  );
}
