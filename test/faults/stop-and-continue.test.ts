import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Child, Stage } from './support/child.ts';
import { onlyTask } from './support/evidence.ts';
import type { Trap } from './support/messages.ts';

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.clear());

/**
 * A process stops in the middle of a task for longer than its lease; another takes the task and finishes it.
 * @returns the stopped process, the id, and the version of the record that the other left
 */
async function stopped(
  woken: 'return' | 'wait' | 'checkpoint',
): Promise<{ sleeper: Child; id: string; version: number }> {
  const sleeper = stage.child({ leaseMs: 1_000 });
  const { id } = await sleeper.ask('submit', { handler: 'stop', input: { woken } });
  expect(await sleeper.began(id)).toBe(1);
  const other = stage.child({ leaseMs: 1_000 });
  const { version } = await other.ask('ended', id);
  await other.close();
  return { sleeper, id, version };
}

/** The other's outcome stands, untouched, and the attempts are explained. */
async function expectUntouched(version: number): Promise<void> {
  const { task, attempts, runs } = await onlyTask(stage);
  expect(task).toMatchObject({ status: 'succeeded', attempt: 2, lost: 1, version, checkpoint: { at: 1 } });
  expect(attempts.map(({ outcome }) => outcome)).toEqual(['lost', 'succeeded']);
  expect(new Set(runs.map(({ pid }) => pid)).size).toBe(2);
}

test('SIGSTOP past the lease > the outcome of whoever wakes up is refused, with a warning; the record stays as it is', async () => {
  const { sleeper, id, version } = await stopped('return');
  sleeper.wake();
  expect(await sleeper.told('warning', ({ code }) => code === 'lease_lost')).toMatchObject({ taskId: id });
  expect(await sleeper.close()).toEqual({ code: 0, signal: null });
  await expectUntouched(version);
  const { runs } = await onlyTask(stage);
  expect(runs.map(({ end }) => end?.how)).toEqual(['returned', 'returned']); // it did return, and too late
});

test('SIGSTOP past the lease > a handler that wakes up sees its signal aborted: lease_lost', async () => {
  const { sleeper, id, version } = await stopped('wait');
  sleeper.wake();
  expect(await sleeper.told('aborted')).toMatchObject({ taskId: id, attempt: 1, code: 'lease_lost' });
  expect(await sleeper.close()).toEqual({ code: 0, signal: null });
  await expectUntouched(version);
});

test('SIGSTOP past the lease > a checkpoint of whoever wakes up is refused: lease_stale', async () => {
  const { sleeper, id, version } = await stopped('checkpoint');
  sleeper.wake();
  expect(await sleeper.told('refused')).toMatchObject({ taskId: id, attempt: 1, code: 'lease_stale' });
  expect(await sleeper.close()).toEqual({ code: 0, signal: null });
  await expectUntouched(version);
});

test('SIGSTOP past the lease > whoever wakes up works on: it takes the next task', async () => {
  const { sleeper } = await stopped('wait');
  sleeper.wake();
  expect(await sleeper.told('warning', ({ code }) => code === 'worker_lost')).toBeDefined();
  const { id } = await sleeper.ask('submit', { handler: 'noop' });
  expect(await sleeper.ask('ended', id)).toMatchObject({ status: 'succeeded', attempt: 1 });
  expect(await sleeper.close()).toEqual({ code: 0, signal: null });
});

test('SIGSTOP past the lease > whoever wakes up does not start what it had claimed before', async () => {
  const trap: Trap = { call: 'claim', when: 'after', signal: 'SIGSTOP' };
  const sleeper = stage.child({ leaseMs: 1_000, trap });
  const { id } = await sleeper.ask('submit', { handler: 'noop' });
  const other = stage.child({ leaseMs: 1_000 });
  expect(await other.ask('ended', id)).toMatchObject({ status: 'succeeded', attempt: 2, interrupted: 1 });
  await other.close();
  sleeper.wake();
  await sleeper.told('warning', ({ code }) => code === 'worker_lost');
  expect(await sleeper.close()).toEqual({ code: 0, signal: null });
  expect((await onlyTask(stage)).runs.map(({ attempt }) => attempt)).toEqual([2]);
});
