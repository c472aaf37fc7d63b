import { expect, test } from 'vitest';
import { OptionError } from '../../src/errors.ts';
import { fakeClock } from '../../src/testing/fake-clock.ts';

test('stands still until it is moved, by ms or in words', async () => {
  const clock = fakeClock();
  expect(new Date(clock.now()).toISOString()).toBe('2030-01-01T00:00:00.000Z');
  expect(clock.monotonic()).toBe(0);
  await clock.advance('1h');
  await clock.advance(5);
  expect([clock.now() - fakeClock().now(), clock.monotonic()]).toEqual([3_600_005, 3_600_005]);
  await expect(clock.advance('soon' as never)).rejects.toThrow(OptionError);
});

test('calls back in the order of time, each at its own', async () => {
  const clock = fakeClock(0);
  const seen: unknown[] = [];
  for (const [ms, name] of [
    [30, 'c'],
    [10, 'a'],
    [30, 'd'],
    [20, 'b'],
    [31, 'too late'],
  ] as const) {
    clock.after(ms, () => seen.push([name, clock.now()]));
  }
  clock.after(15, () => seen.push('cleared')).clear();
  await clock.advance(30);
  expect(seen).toEqual([
    ['a', 10],
    ['b', 20],
    ['c', 30],
    ['d', 30],
  ]);
});

test('a timer set on the way is called on the way, also one that sets itself again', async () => {
  const clock = fakeClock(0);
  let ticks = 0;
  const again = (): void => {
    ticks++;
    clock.after(0, again);
  };
  clock.after(0, again);
  await clock.advance(10);
  expect(ticks).toBe(10);
});

test('what a timer starts has run before the next one', async () => {
  const clock = fakeClock(0);
  const seen: string[] = [];
  clock.after(1, () => {
    void (async () => {
      for (let turn = 0; turn < 20; turn++) await undefined;
      await new Promise((resolve) => setImmediate(resolve));
      seen.push('started by the first');
    })();
  });
  clock.after(1, () => seen.push('second'));
  await clock.advance(1);
  expect(seen).toEqual(['started by the first', 'second']);
});
