import type { AnyTask } from '../handler/define.ts';
import { insideOf } from '../internal.ts';
import type { TaskManager } from '../manager.ts';
import { integer } from '../options.ts';

/**
 * Lets the next attempts of a handler fail, in this process, in place of running; those after them run as ever. Once more:
 * they add up.
 * @param handler a definition that is registered, or its name
 * @param count how many; integer from 1, default 1
 * @param error what they throw; default: an `Error`
 * @throws {OptionError} @throws {UnknownHandlerError}
 */
export function failNext<Handlers extends readonly AnyTask[], Tasks extends AnyTask>(
  manager: TaskManager<Handlers, Tasks>,
  handler: AnyTask | Tasks['name'],
  count = 1,
  error: unknown = new Error('failNext'),
): void {
  const registered = insideOf(manager as unknown as TaskManager).handlerOf(handler);
  const { definition } = registered;
  let left = integer('count', count, 1);
  registered.definition = {
    ...definition,
    run(input, context) {
      if (left === 0) return definition.run?.(input, context);
      left--;
      throw error;
    },
  };
}
