import PQueue from 'p-queue';

/** @returns no-ops a second that p-queue runs, 10 at once, tracked by nobody */
export async function runQueued(count: number, priorities = 1): Promise<number> {
  const queue = new PQueue({ concurrency: 10 });
  let last = 0;
  globalThis.gc?.();
  const begun = performance.now();
  for (let n = 0; n < count; n++) {
    const noop = async (): Promise<void> => {
      last = n;
    };
    void (priorities === 1 ? queue.add(noop) : queue.add(noop, { priority: n % priorities }));
  }
  await queue.onIdle();
  const seconds = (performance.now() - begun) / 1e3;
  if (last < 0) throw new Error('nothing ran');
  return count / seconds;
}
