import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { defineTask, TaskManager } from 'tasklane';
import { createHandler } from 'tasklane/http';
import { toNodeListener } from 'tasklane/node';
import { type Figures, runPart, type Scenario } from '../harness.ts';
import { ask } from '../support/http-load.ts';
import { Readers } from '../support/http-readers.ts';

const MB = 1_048_576;
/** Updates come in steps of so long, in ms, and the manager lets each step through. */
const STEP_MS = 5;

/** What a reader process is told. */
interface Plan {
  readonly port: number;
  readonly path: string;
  readonly count: number;
  /** How many of them stop reading after a while. */
  readonly stopped: number;
}

/** Reports progress at a rate. */
function reporter(go: Promise<void>, perSecond: number, seconds: number) {
  const updates = perSecond * seconds;
  return defineTask({
    name: 'report',
    async run(_input: null, { progress }) {
      await go;
      const begun = performance.now();
      for (let sent = 0; sent < updates; ) {
        const due = Math.min(updates, Math.floor(((performance.now() - begun) / 1e3) * perSecond));
        for (; sent < due; sent++) progress({ processed: sent, total: updates, message: `Update ${sent}` });
        await wait(STEP_MS);
      }
    },
  });
}

/** The server, in this process; the readers are in another. */
async function stream(plan: Omit<Plan, 'port' | 'path'>, perSecond: number, seconds: number): Promise<Figures> {
  const { promise: go, resolve: begin } = Promise.withResolvers<void>();
  const { promise: stopping, resolve: stop } = Promise.withResolvers<void>();
  const signals = {
    begin: defineTask({ name: 'begin', run: async (_input: null) => begin() }),
    stop: defineTask({ name: 'stop', run: async (_input: null) => stop() }),
  };
  const report = reporter(go, perSecond, seconds);
  const manager = new TaskManager({ handlers: [report, signals.begin, signals.stop], progressInterval: STEP_MS });
  await manager.start();
  const { id } = await manager.submit(report, null);
  const server = createServer(toNodeListener(createHandler(manager, { limits: { streams: 2_000 } }))).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const warm = new Readers(); // what the first stream loads is no cost of the others
  await warm.open(port, `/tasks/${id}/events`, 1);
  globalThis.gc?.();
  const memory = { before: process.memoryUsage.rss(), atStop: Number.NaN, peak: 0 };
  const sampling = setInterval(() => {
    memory.peak = Math.max(memory.peak, process.memoryUsage.rss());
  }, 20);
  void stopping.then(() => {
    memory.atStop = process.memoryUsage.rss();
    memory.peak = 0;
  });
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  // What the turns of the loop take of the processor: a busy machine stalls a process that does nothing, too.
  let turnMs = 0;
  let cpu = process.threadCpuUsage();
  const turns = setInterval(() => {
    const { user, system } = process.threadCpuUsage(cpu);
    turnMs = Math.max(turnMs, (user + system) / 1e3);
    cpu = process.threadCpuUsage();
  }, 1);
  const { finals = 0 } = await runPart(
    'http-streams',
    'readers',
    JSON.stringify({ ...plan, port, path: `/tasks/${id}/events` }),
  );
  delay.disable();
  clearInterval(sampling);
  clearInterval(turns);
  return {
    finals,
    stallMs: delay.max / 1e6,
    turnMs,
    streamKb: (memory.peak - memory.before) / 1_024 / plan.count,
    stoppedMb: (memory.peak - memory.atStop) / MB,
  };
}

export const scenario: Scenario = {
  name: 'http-streams',
  title: 'HTTP, event streams of one task',
  unit: 'ms',
  variants: {
    async all() {
      const { finals = 0, stallMs = 0, turnMs = 0, streamKb = 0 } = await stream({ count: 1_000, stopped: 0 }, 200, 5);
      return { missed: 1_000 - finals, stallMs, turnMs, streamKb };
    },
    async stopped() {
      const { finals = 0, stoppedMb = 0 } = await stream({ count: 300, stopped: 20 }, 3_000, 10);
      return { stoppedMissed: 300 - finals, stoppedMb };
    },
  },
  parts: {
    async readers(argument) {
      const { port, path, count, stopped } = JSON.parse(argument) as Plan;
      const readers = new Readers();
      await readers.open(port, path, count);
      const tell = (handler: string): Promise<unknown> =>
        ask(port, 'POST', '/tasks', JSON.stringify({ handler, input: null }));
      await tell('begin');
      if (stopped > 0) {
        await wait(3_000);
        await tell('stop');
        readers.stop(stopped, true);
        await wait(9_000);
        readers.stop(stopped, false);
      }
      return { finals: await readers.finals() };
    },
  },
  rows: [
    { label: '1,000 readers, 200 updates/s: without the end', figure: 'missed', unit: '', target: { atMost: [0] } },
    { label: 'the same: RSS a stream', figure: 'streamKb', unit: 'KB', target: { atMost: [70] } },
    { label: 'the same: longest stall of the loop', figure: 'stallMs', target: { atMost: [100] } },
    { label: 'the same: processor time of the longest turn', figure: 'turnMs' },
    { label: '20 of 300 stopped, 3,000 updates/s: no end', figure: 'stoppedMissed', unit: '', target: { atMost: [0] } },
    { label: 'the same: RSS that they cost', figure: 'stoppedMb', unit: 'MB', target: { atMost: [32] } },
  ],
};
