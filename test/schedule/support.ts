import { type AnyTask, defineTask, type TaskManager, type TaskRecord } from 'tasklane';
import { aborted, gate } from '../support/gate.ts';

/** A handler that ends at once. */
export const work = defineTask({ name: 'work', run: (_input: unknown) => {} });

/** A handler that runs until its gate opens, or its signal is aborted. */
export function held(name = 'held') {
  const until = gate();
  const task = defineTask({
    name,
    run: async (_input: unknown, { signal }) => {
      const stop = aborted(signal).then((reason) => Promise.reject(reason));
      await Promise.race([until.opened, stop]);
    },
  });
  return { task, open: () => until.open() };
}

/** What a schedule made, in the order it was made. */
export async function tasksOf<H extends readonly AnyTask[]>(
  manager: TaskManager<H>,
  key: string,
): Promise<readonly TaskRecord[]> {
  const { items } = await manager.list({ filter: { scheduleId: key }, sort: 'id', limit: 1_000 });
  return items as readonly TaskRecord[];
}

/** The ticks of what a schedule made. */
export async function ticksOf<H extends readonly AnyTask[]>(
  manager: TaskManager<H>,
  key: string,
): Promise<readonly (number | null)[]> {
  return (await tasksOf(manager, key)).map(({ tick }) => tick);
}

/** The codes of the warnings a manager gives from now on. */
export function warnings<H extends readonly AnyTask[]>(manager: TaskManager<H>): string[] {
  const codes: string[] = [];
  manager.on('warning', ({ code }) => void codes.push(code));
  return codes;
}
