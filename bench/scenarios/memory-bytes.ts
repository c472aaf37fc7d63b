import PQueue from 'p-queue';
import { TaskManager } from 'tasklane';
import type { Scenario } from '../harness.ts';
import { countedNoop, submitMany } from '../support/noops.ts';

const COUNT = 200_000;

/** Bytes that each of them keeps on the heap. */
async function bytesOf(queueThem: () => Promise<unknown>): Promise<number> {
  const before = heap();
  const keep = await queueThem();
  const bytes = (heap() - before) / COUNT;
  if (keep === null) throw new Error('it was to be kept until here');
  return bytes;
}

function heap(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

export const scenario: Scenario = {
  name: 'memory-bytes',
  title: 'memory, heap of a queued task',
  unit: 'B',
  variants: {
    task: () =>
      bytesOf(async () => {
        const { noop } = countedNoop(COUNT);
        const manager = new TaskManager({ handlers: [noop] });
        await submitMany(manager, noop, COUNT);
        return manager;
      }),
    entry: () =>
      bytesOf(async () => {
        const queue = new PQueue({ concurrency: 10, autoStart: false });
        for (let n = 0; n < COUNT; n++) void queue.add(async () => n);
        return queue;
      }),
  },
  rows: [{ label: 'queued task / p-queue entry', figure: 'task', to: 'entry', target: { atMost: [0.9, 0.6] } }],
};
