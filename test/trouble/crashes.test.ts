import { defineTask } from 'tasklane';
import { describe, expect, test } from 'vitest';
import { gate } from '../support/gate.ts';
import { bent } from './support/bent.ts';
import { inTime, withPlace } from './support/place.ts';

const DAY = 86_400_000;
const TASKS = 2_500;

for (const storage of ['memory', 'sqlite'] as const) {
  describe(`retention in a process that crashes [${storage}]`, () => {
    test('pruning goes on where the last life left it, until nothing is left that is too old', () =>
      withPlace(
        async ({ clock, start, connect, errors }) => {
          const old = defineTask({ name: 'old', run: () => {}, retention: { age: '30d' } });
          const kept = defineTask({ name: 'kept', run: () => {}, retention: false });
          const first = await start({ handlers: [old, kept], retention: { age: '30d' } });
          const items = Array.from({ length: TASKS }, () => ({ handler: old }));
          for (let at = 0; at < TASKS; at += 500) await inTime(clock, first.submitMany(items.slice(at, at + 500)));
          await inTime(clock, first.submit(kept));
          for (let ms = 0; ms < 60_000 && (await first.count({ status: 'succeeded' })) <= TASKS; ms += 10)
            await clock.advance(10);
          expect(await first.count({ status: 'succeeded' })).toBe(TASKS + 1);
          await inTime(clock, first.close());
          clock.jump(31 * DAY);

          const over = gate<unknown>();
          const left: number[] = [];
          for (let life = 0; life < 12 && left.at(-1) !== 1; life++) {
            const line = bent(connect());
            let prunes = 0;
            line.bend('prune', (run) => (++prunes > 4 ? over.opened : run())); // it crashes here
            const manager = await start({ handlers: [old, kept], storage: line.storage });
            await clock.advance(60_000);
            left.push(await manager.count());
          }
          over.open(0);
          expect(left.every((count, life) => life === 0 || count < (left[life - 1] ?? 0) || count === 1)).toBe(true);
          expect(left[0]).toBeLessThan(TASKS + 1);
          expect(left.at(-1)).toBe(1);
          expect(errors).toEqual([]);
        },
        { storage },
      ));
  });
}
