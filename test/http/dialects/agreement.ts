import type { TaskRecord } from 'tasklane';
import { expect } from 'vitest';
import { DIALECTS, type TimeKey } from './all.ts';

/**
 * Looks at a task through our own API and through each dialect, and has them agree on status, times and progress.
 * @param get answers the JSON of a path
 */
export async function expectAgreement(get: (path: string) => Promise<unknown>, task: TaskRecord): Promise<void> {
  const own = (await get(`/tasks/${task.id}`)) as Record<string, unknown>;
  expect(own.status).toBe(task.status);
  const progress = own.progress as { readonly fraction: number | null } | null;
  const fraction = own.status === 'succeeded' ? 1 : (progress?.fraction ?? 0);
  for (const { name, view } of DIALECTS) {
    const seen = await view(get, task);
    expect(seen.statuses, `${name}, ${task.status}`).toContain(own.status);
    if (seen.fraction !== undefined) {
      const [value, exactTo] = seen.fraction;
      expect(value, `${name}, progress`).toBeLessThanOrEqual(fraction + 1e-9);
      expect(value, `${name}, progress`).toBeGreaterThan(fraction - exactTo - 1e-9);
    }
    for (const [key, [value, exactTo]] of Object.entries(seen.times) as [TimeKey, readonly [number | null, number]][]) {
      const ms = typeof own[key] === 'string' ? Date.parse(own[key]) : null;
      const told = ms === null ? null : Math.floor(ms / exactTo) * exactTo;
      expect([name, key, value]).toEqual([name, key, told]);
    }
  }
}
