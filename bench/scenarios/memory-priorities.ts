import type { Scenario } from '../harness.ts';
import { runNoops, type Submit } from '../support/noops.ts';
import { runQueued } from '../support/p-queue.ts';

const COUNT = 200_000;
const PRIORITIES = 10;

const submit: Submit = (manager, noop, count) => {
  for (let n = 0; n < count; n++) void manager.submit(noop, { n }, { priority: n % PRIORITIES });
};

const submitMany: Submit = async (manager, noop, count) => {
  for (let from = 0; from < count; from += 10_000) {
    const places = Array.from({ length: 10_000 }, (_, n) => from + n);
    await manager.submitMany(places.map((n) => ({ handler: noop, input: { n }, priority: n % PRIORITIES })));
  }
};

export const scenario: Scenario = {
  name: 'memory-priorities',
  title: 'memory, 200,000 no-ops in 10 priorities',
  unit: '/s',
  variants: {
    submit: () => runNoops(COUNT, submit),
    submitMany: () => runNoops(COUNT, submitMany),
    raw: () => runQueued(COUNT, PRIORITIES),
  },
  rows: [
    { label: "submit / p-queue's priorities", figure: 'submit', to: 'raw', target: { atLeast: [3, 6] } },
    { label: "submitMany / p-queue's priorities", figure: 'submitMany', to: 'raw', target: { atLeast: [3, 6] } },
  ],
};
