import { type AnyTask, defineTask, TaskManager, type TaskManagerOptions } from 'tasklane';

/** What every no-op is submitted with, here and at the peers. */
type Input = { readonly n: number };

/** Puts `count` no-ops in, by whatever way is measured. */
export type Submit = (manager: TaskManager, noop: AnyTask, count: number) => unknown;

/** @returns no-ops a second, from the first submit until the last outcome is stored */
export async function runNoops(count: number, submit: Submit, options: TaskManagerOptions = {}): Promise<number> {
  const { noop, all } = countedNoop(count);
  const manager = new TaskManager({ concurrency: 10, ...options, handlers: [noop] });
  await manager.start();
  globalThis.gc?.();
  const begun = performance.now();
  await submit(manager, noop, count);
  await all;
  await manager.onIdle();
  const seconds = (performance.now() - begun) / 1e3;
  await manager.close();
  return count / seconds;
}

/** A handler that does nothing, and a promise of its last of `count` runs. */
export function countedNoop(count: number): { readonly noop: AnyTask; readonly all: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let ran = 0;
  const noop = defineTask({
    name: 'noop',
    async run(_input: Input) {
      if (++ran === count) resolve();
    },
  });
  return { noop: noop as AnyTask, all: promise };
}

/** None is waited for. */
export const submitEach: Submit = (manager, noop, count) => {
  for (let n = 0; n < count; n++) void manager.submit(noop, { n });
};

/** Each is waited for before the next. */
export const submitAwaited: Submit = async (manager, noop, count) => {
  for (let n = 0; n < count; n++) await manager.submit(noop, { n });
};

/** By the 10,000. */
export const submitMany: Submit = async (manager, noop, count) => {
  for (let from = 0; from < count; from += 10_000) {
    const length = Math.min(10_000, count - from);
    await manager.submitMany(Array.from({ length }, (_, n) => ({ handler: noop, input: { n: from + n } })));
  }
};

/** A thousand callers at once, each waits for its own. */
export const submitConcurrently: Submit = (manager, noop, count) =>
  inParallel(1_000, count, (n) => manager.submit(noop, { n }));

/** Calls `act` for each of `count` numbers, from `callers` loops that wait for their own calls. */
export async function inParallel(callers: number, count: number, act: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const caller = async (): Promise<void> => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: callers }, caller));
}
