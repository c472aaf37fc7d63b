import fc from 'fast-check';
import type { TaskProgress } from 'tasklane';
import { describe, expect, test } from 'vitest';
import { ProgressMeter } from '../../src/run/progress.ts';
import { controlled } from '../support/controlled.ts';
import { useWorld } from '../support/world.ts';

/** Some of a work: this many steps in so many ms, told in equal reports. */
interface Stretch {
  readonly ms: number;
  readonly steps: number;
  readonly reports: number;
}

describe('rate and remaining time', () => {
  const world = useWorld('memory');

  /** Does these, and what is left of `total` is left. @returns what is stored at the end of each stretch */
  async function work(total: number, stretches: readonly Stretch[]): Promise<readonly (TaskProgress | null)[]> {
    const handler = controlled('work');
    const manager = await world.start({ handlers: [handler], progressInterval: 1 });
    const { id } = await manager.submit('work');
    const { context, finish } = await handler.next();
    const stored: (TaskProgress | null)[] = [];
    let processed = 0;
    for (const { ms, steps, reports } of stretches) {
      for (let report = 0; report < reports; report++) {
        await world.clock.advance(ms / reports);
        processed += steps / reports;
        context.progress({ processed, total });
      }
      await world.clock.advance(2);
      stored.push((await manager.get(id))?.progress ?? null);
    }
    finish();
    return stored;
  }

  test('steady work: right from the first report to the last', async () => {
    const stored = await work(
      600,
      Array.from({ length: 12 }, () => ({ ms: 5_000, steps: 50, reports: 5 })),
    );
    for (const [index, progress] of stored.entries()) {
      expect(progress?.rate).toBeCloseTo(10, 1);
      expect(progress?.remainingMs).toBeCloseTo((11 - index) * 5_000, -2);
    }
  });

  test('bursts, each told as it goes, with rests between: near the mean after ten', async () => {
    const burst = { ms: 1_000, steps: 100, reports: 5 };
    const rest = { ms: 9_000, steps: 0, reports: 1 };
    const stored = await work(4_000, Array.from({ length: 20 }, () => [burst, rest]).flat());
    for (const progress of stored.slice(20)) {
      expect(progress?.rate).toBeGreaterThan(9);
      expect(progress?.rate).toBeLessThan(11);
    }
    const halfway = stored[19];
    expect(halfway?.remainingMs).toBeGreaterThan(300_000 * 0.9);
    expect(halfway?.remainingMs).toBeLessThan(300_000 * 1.1);
  });

  test('work that slows to a quarter: believed by and by', async () => {
    const fast = { ms: 100_000, steps: 1_000, reports: 50 };
    const slow = { ms: 20_000, steps: 50, reports: 10 };
    const [before, fifth, , , , again] = await work(2_000, [fast, slow, slow, slow, slow, slow]);
    expect(before?.rate).toBeCloseTo(10, 1);
    expect(fifth?.rate).toBeCloseTo(2.5 + 7.5 * 0.38, 0);
    expect(again?.rate).toBeCloseTo(2.5, 0);
    expect(again?.remainingMs).toBeGreaterThan(0.85 * (750 / 2.5) * 1_000);
    expect(again?.remainingMs).toBeLessThan(1.15 * (750 / 2.5) * 1_000);
  });

  test('work that gets slower all the time: near its present rate', async () => {
    // As the root of time: after t seconds, 100 * sqrt(t) steps, so that the rate is 50 / sqrt(t).
    const at = (second: number): number => 100 * Math.sqrt(second);
    const stretches = Array.from({ length: 40 }, (_, index) => ({
      ms: 5_000,
      steps: at(5 * (index + 1)) - at(5 * index),
      reports: 1,
    }));
    const stored = await work(5_000, stretches);
    for (const [index, progress] of stored.entries()) {
      if (index < 10) continue;
      const now = 50 / Math.sqrt(5 * (index + 1));
      expect(progress?.rate).toBeGreaterThan(now);
      expect(progress?.rate).toBeLessThan(now * 1.15);
    }
  });

  test('work that stands still: falls with each report', async () => {
    const stored = await work(1_000, [
      { ms: 10_000, steps: 100, reports: 10 },
      ...Array.from({ length: 5 }, () => ({ ms: 10_000, steps: 0, reports: 1 })),
    ]);
    const rates = stored.map((progress) => progress?.rate ?? 0);
    expect(rates).toEqual(rates.toSorted((one, other) => other - one));
    expect(rates[5]).toBeLessThan(1);
  });

  test('an attempt that goes on from a checkpoint: what was done before it is no speed', async () => {
    const handler = controlled('work', { retry: { maxAttempts: 2, backoff: { type: 'fixed', delay: 10, jitter: 0 } } });
    const manager = await world.start({ handlers: [handler] });
    const { id } = await manager.submit('work');
    const first = await handler.next();
    const stored = first.context.checkpoint({ at: 500 });
    await world.clock.advance('1s');
    await stored;
    first.fail('once');
    await world.clock.advance('1s');
    const { context, finish } = await handler.next();
    await world.clock.advance('1s');
    context.progress({ processed: 500, total: 600 });
    await world.clock.advance('1s');
    expect((await manager.get(id))?.progress).toMatchObject({ rate: null, remainingMs: null });
    context.progress({ processed: 510 });
    await world.clock.advance('1s');
    expect((await manager.get(id))?.progress).toMatchObject({ rate: 10, remainingMs: 9_000 });
    finish();
  });
});

describe('a meter', () => {
  const pauses = fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 100 });

  test('of steady work is exact, at whatever times it is told', () => {
    fc.assert(
      fc.property(pauses, fc.double({ min: 0.001, max: 1_000, noNaN: true }), (waits, perMs) => {
        const meter = new ProgressMeter(1_000, false);
        const total = perMs * 10_000_000;
        let now = 1_000;
        for (const wait of waits) {
          now += wait;
          const { rate, remainingMs } = meter.read({ processed: perMs * (now - 1_000), total }, now);
          expect(rate).toBeCloseTo(perMs * 1_000, 3);
          expect(Math.abs((remainingMs ?? 0) - (10_000_000 - (now - 1_000)))).toBeLessThan(2);
        }
      }),
    );
  });

  test('of any work is between its slowest and its fastest stretch', () => {
    const stretch = fc.record({ wait: fc.integer({ min: 1, max: 60_000 }), steps: fc.nat(1_000) });
    fc.assert(
      fc.property(fc.array(stretch, { minLength: 1, maxLength: 100 }), (stretches) => {
        const meter = new ProgressMeter(0, false);
        const rates: number[] = [];
        let now = 0;
        let processed = 0;
        for (const { wait, steps } of stretches) {
          now += wait;
          processed += steps;
          rates.push((steps / wait) * 1_000);
          const rate = meter.read({ processed }, now).rate ?? 0;
          expect(rate).toBeGreaterThanOrEqual(Math.min(...rates) * 0.999);
          expect(rate).toBeLessThanOrEqual(Math.max(...rates) * 1.001);
        }
      }),
    );
  });

  test('of bursts is near their mean, the nearer the more there were', () => {
    const burst = fc.record({
      period: fc.integer({ min: 100, max: 60_000 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(burst, ({ period, share }) => {
        const meter = new ProgressMeter(0, false);
        const busy = Math.max(10, period * share);
        for (let count = 0; count < 100; count++) {
          for (let part = 1; part <= 10; part++) {
            const now = Math.round(count * period + (busy * part) / 10);
            const rate = meter.read({ processed: count * 100 + part * 10 }, now).rate ?? 0;
            const mean = (100 / period) * 1_000;
            const off = Math.abs(rate / mean - 1);
            if (count >= 10) expect(off).toBeLessThan(count >= 20 ? 0.06 : 0.12);
          }
        }
      }),
    );
  });

  test('of work that changes its speed: the old one fades as documented', () => {
    const speeds = fc.tuple(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100 }));
    fc.assert(
      fc.property(speeds, fc.integer({ min: 100, max: 3_600 }), ([old, fresh], seconds) => {
        const meter = new ProgressMeter(0, false);
        const after = new Map([1.2, 1.5, 2].map((times) => [Math.round(times * seconds), times]));
        let processed = 0;
        for (let second = 1; second <= 2 * seconds; second++) {
          processed += second <= seconds ? old : fresh;
          const { rate } = meter.read({ processed }, second * 1_000);
          const weight = { 1.2: 0.4, 1.5: 0.06, 2: 0.01 }[after.get(second) ?? 0] ?? 1;
          expect(Math.abs((rate ?? 0) - (second <= seconds ? old : fresh))).toBeLessThanOrEqual(
            second <= seconds ? 1e-6 : weight * Math.abs(old - fresh) + 1e-6,
          );
        }
      }),
      { numRuns: 20 },
    );
  });

  test('of a fraction: a remaining time, and none of it once there is nothing left', () => {
    const meter = new ProgressMeter(0, false);
    expect(meter.read({ fraction: 0.25 }, 1_000)).toMatchObject({ rate: null, remainingMs: 3_000 });
    // Steps without a total say nothing about the end; the fraction beside them does.
    expect(meter.read({ processed: 10, fraction: 0.5 }, 2_000)).toMatchObject({ rate: 5, remainingMs: 2_000 });
    expect(meter.read({ fraction: 1 }, 2_000)).toMatchObject({ remainingMs: 0 });
  });

  test('counts no step backwards', () => {
    const meter = new ProgressMeter(0, false);
    meter.read({ processed: 100 }, 1_000);
    expect(meter.read({ processed: 0, total: 50 }, 2_000).rate).toBeGreaterThan(0);
    expect(meter.read({ processed: 10 }, 3_000).remainingMs).toBeGreaterThan(0);
  });
});
