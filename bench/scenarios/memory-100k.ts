import type { Scenario } from '../harness.ts';
import { runNoops, submitEach, submitMany } from '../support/noops.ts';
import { runQueued } from '../support/p-queue.ts';

const COUNT = 100_000;

export const scenario: Scenario = {
  name: 'memory-100k',
  title: 'memory, 100,000 no-ops, 10 at once',
  unit: '/s',
  variants: {
    submit: () => runNoops(COUNT, submitEach),
    submitMany: () => runNoops(COUNT, submitMany),
    raw: () => runQueued(COUNT),
  },
  rows: [
    { label: 'submit / raw p-queue', figure: 'submit', to: 'raw', target: { atLeast: [0.55, 0.9] } },
    { label: 'submitMany / raw p-queue', figure: 'submitMany', to: 'raw', target: { atLeast: [0.7, 1] } },
  ],
};
