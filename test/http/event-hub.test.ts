import type { TaskNews, TaskRecord } from 'tasklane';
import { expect, test } from 'vitest';
import { Caller } from '../../src/http/caller.ts';
import { EventHub } from '../../src/http/event-hub.ts';
import { allowAll } from '../../src/http/policy.ts';
import { previewOf } from '../../src/http/submit-preview.ts';

const caller = new Caller(null, {
  policy: allowAll,
  hideForbidden: false,
  redact: null,
  definitionOf: () => undefined,
});
const task: TaskRecord = { ...previewOf({ handler: 'a' }, null, 0), id: 'task_1' };

/** News that never come, and the moment that nobody waits for them any more. */
function silence(): {
  source: (signal: AbortSignal) => AsyncIterable<TaskNews>;
  left: Promise<void>;
  opened: () => number;
} {
  let opened = 0;
  let leave = (): void => {};
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  return {
    left,
    opened: () => opened,
    async *source(signal) {
      opened++;
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      leave();
    },
  };
}

test('readers of the same events share one source, which ends when the last one has been gone for a while', async () => {
  const hub = new EventHub({ maxStreams: 10, lingerMs: 5 });
  const { source, left, opened } = silence();
  const open = async (): Promise<ReadableStream> =>
    (await hub.open({ key: 'k', caller, task, source, seen: null })) as ReadableStream;
  const [a, b] = [await open(), await open()];
  expect(opened()).toBe(1);
  await a.cancel();
  await b.cancel();
  await left;
});

test('who opens and leaves streams of ever other events leaves no more than 1,000 groups behind', async () => {
  const hub = new EventHub({ maxStreams: 1, lingerMs: 60_000 });
  let open = 0;
  async function* source(signal: AbortSignal): AsyncGenerator<never> {
    open++;
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    open--;
  }
  for (let n = 0; n < 1_200; n++) {
    const body = (await hub.open({ key: String(n), caller, task, source, seen: null })) as ReadableStream;
    await body.cancel();
  }
  expect(open).toBe(1_000);
  const again = (await hub.open({ key: '1199', caller, task, source, seen: null })) as ReadableStream;
  expect(open).toBe(1_000); // the newest are still there
  await again.cancel();
  hub.close();
  await new Promise((resolve) => setImmediate(resolve));
  expect(open).toBe(0);
});

test('close() lets go of all of it, also while nobody reads', async () => {
  const hub = new EventHub({ maxStreams: 10, lingerMs: 60_000 });
  const { source, left } = silence();
  const reading = (await hub.open({ key: 'k', caller, task, source, seen: null })) as ReadableStream;
  await reading.cancel();
  hub.close();
  await left;
  await expect(hub.open({ key: 'k', caller, task, source, seen: null })).rejects.toMatchObject({
    code: 'manager_closed',
  });
});

test('a snapshot that fails leaves no stream counted', async () => {
  const hub = new EventHub({ maxStreams: 1, lingerMs: 5 });
  const { source } = silence();
  const seen = { sequence: null, final: null };
  const failing = { key: 'k', caller, task: null, source, seen, snapshot: () => Promise.reject(new Error('storage')) };
  for (let n = 0; n < 3; n++) await expect(hub.open(failing)).rejects.toThrow('storage');
  const body = (await hub.open({
    ...failing,
    snapshot: async () => ({ tasks: [], complete: true }),
  })) as ReadableStream;
  await body.cancel();
  hub.close();
});

test('many readers are written to in turns, each in order, and the end comes last', async () => {
  const hub = new EventHub({ maxStreams: 1_000, lingerMs: 5 });
  const running = { ...task, status: 'running' as const, startedAt: 1, attempt: 1 };
  async function* source(): AsyncGenerator<TaskNews> {
    await new Promise((resolve) => setImmediate(resolve));
    for (let version = 2; version <= 5; version++) {
      yield {
        type: 'log',
        handler: 'a',
        taskId: task.id,
        at: 0,
        task: running,
        level: 'info',
        message: `line ${version}`,
      };
      await new Promise((resolve) => setTimeout(resolve, 60)); // more than a tick
    }
    yield {
      type: 'status',
      handler: 'a',
      taskId: task.id,
      at: 0,
      task: { ...running, status: 'succeeded', version: 9 },
    };
  }
  const open = async (): Promise<ReadableStream> =>
    (await hub.open({ key: 'k', caller, task, source, seen: null })) as ReadableStream;
  const bodies = await Promise.all(Array.from({ length: 350 }, open));
  const texts = await Promise.all(bodies.map((body) => new Response(body).text()));
  for (const text of texts) {
    expect(text.match(/"message":"line \d/g)).toEqual([2, 3, 4, 5].map((n) => `"message":"line ${n}`));
    expect(text).toMatch(/"status":"succeeded"[^\n]*\n\n$/);
  }
});
