import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isTaskId, TaskIds } from '../../src/task/id.ts';

const byBytes = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other));

describe('ids', () => {
  test('are the prefix and 27 letters and digits', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: Date.UTC(9999, 0, 1) }),
        fc.stringMatching(/^[A-Za-z0-9_]{0,40}$/),
        (now, prefix) => {
          const id = new TaskIds(prefix, () => now).draw();
          expect(id.startsWith(prefix)).toBe(true);
          expect(id.slice(prefix.length)).toMatch(/^[0-9A-Za-z]{27}$/);
          expect(isTaskId(prefix, id)).toBe(true);
        },
      ),
    );
  });

  test('sort by bytes as they were drawn, whatever the clock does', () => {
    const steps = fc.array(fc.integer({ min: -10_000, max: 10_000 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(steps, (moves) => {
        let now = Date.UTC(2030, 0, 1);
        const ids = new TaskIds('task_', () => now);
        const drawn = moves.map((move) => {
          now += move;
          return ids.draw();
        });
        expect([...drawn].sort(byBytes)).toEqual(drawn);
        expect(new Set(drawn).size).toBe(drawn.length);
      }),
    );
  });

  test('sort by bytes within a millisecond, however many', () => {
    const ids = new TaskIds('', () => 1);
    const drawn = Array.from({ length: 20_000 }, () => ids.draw());
    expect([...drawn].sort(byBytes)).toEqual(drawn);
    expect(new Set(drawn).size).toBe(drawn.length);
  });

  test('of two processes at the same time differ', () => {
    const [one, other] = [new TaskIds('task_', () => 1), new TaskIds('task_', () => 1)];
    const drawn = Array.from({ length: 1_000 }, () => [one.draw(), other.draw()]).flat();
    expect(new Set(drawn).size).toBe(2_000);
  });

  test.each([
    ['task_'],
    [''],
    ['task_1'],
    ['job_0123456789ABCDEFGHIJKLMNOPQ'],
    ['task_0123456789ABCDEFGHIJKLMNO-P'],
    ['task_0123456789ABCDEFGHIJKLMNOPQ1'],
  ])('%j is none', (text) => {
    expect(isTaskId('task_', text)).toBe(false);
  });
});
