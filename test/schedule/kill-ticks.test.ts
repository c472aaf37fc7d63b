import { expect, test } from 'vitest';
import { killTicks } from './kill-ticks.ts';

// The long form is run by hand: see `kill-ticks.ts`.
test('kill -9 of one of two processes, every second: each tick has one task, and none is missing', {
  timeout: 60_000,
}, async () => {
  const { kills, expected, tasks, missing, twice } = await killTicks(10, 1);
  expect({ missing, twice }).toEqual({ missing: [], twice: [] });
  expect(tasks).toBe(expected);
  expect(kills).toBeGreaterThan(1);
});
