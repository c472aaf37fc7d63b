import type { Scenario } from '../harness.ts';
import { runNoops, submitEach, submitMany } from '../support/noops.ts';
import { runQueued } from '../support/p-queue.ts';

const COUNT = 1_000_000;

export const scenario: Scenario = {
  name: 'memory-1m',
  title: 'memory, 1,000,000 no-ops, 10 at once',
  unit: '/s',
  full: true,
  variants: {
    submit: () => runNoops(COUNT, submitEach),
    submitMany: () => runNoops(COUNT, submitMany),
    raw: () => runQueued(COUNT),
  },
  rows: [
    { label: 'submit / raw p-queue', figure: 'submit', to: 'raw', target: { atLeast: [0.4, 0.8] } },
    { label: 'submitMany / raw p-queue', figure: 'submitMany', to: 'raw', target: { atLeast: [0.6, 1] } },
  ],
};
