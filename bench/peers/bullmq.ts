import { connect } from 'node:net';
import { Queue, Worker } from 'bullmq';

const CONNECTION = { host: '127.0.0.1', port: 6379 };

/** @returns no-ops a second, from the first add until the last is completed; null: no Redis answers */
export async function runBullmq(
  count: number,
  add: (queue: Queue, count: number) => Promise<void>,
): Promise<number | null> {
  if (!(await answers())) return null;
  const options = { connection: CONNECTION, prefix: `tasklane-bench-${process.pid}` };
  const queue = new Queue('noop', options);
  const worker = new Worker('noop', async () => {}, { ...options, concurrency: 100 });
  const { promise: all, resolve } = Promise.withResolvers<void>();
  let done = 0;
  worker.on('completed', () => {
    if (++done === count) resolve();
  });
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
  const begun = performance.now();
  await add(queue, count);
  await all;
  const seconds = (performance.now() - begun) / 1e3;
  await worker.close();
  await queue.obliterate({ force: true });
  await queue.close();
  return count / seconds;
}

/** Whether a Redis is there. */
function answers(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(CONNECTION, () => socket.write('PING\r\n'));
    const end = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('data', (data) => end(data.toString().startsWith('+PONG')));
    socket.once('error', () => end(false));
    socket.setTimeout(1_000, () => end(false));
  });
}
