import { expect, test } from 'vitest';
import { killRounds } from './kill-rounds.ts';

test('kill -9 > two processes on one file, killed at random moments: every acknowledged task succeeds, none runs twice at once, and its attempts are explained', {
  timeout: 120_000,
}, async () => {
  const seed = Date.now() % 1_000_000;
  const { problems, figures } = await killRounds(8, seed);
  expect(problems, `run again with --rounds 8 --seed ${seed}`).toEqual([]);
  expect(figures).toMatchObject({ kills: 8 });
});
