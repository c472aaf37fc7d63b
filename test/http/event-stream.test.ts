import { expect, test } from 'vitest';
import { type Batch, EventStream, encode } from '../../src/http/event-stream.ts';

const batch = (key: string, text: string): Batch => ({ chunk: encode(text), parts: [[key, encode(text)]] });
/** More than a stream buffers by itself. */
const FILL = 'x'.repeat(20_000);

async function read(stream: EventStream): Promise<string> {
  return new Response(stream.body as ReadableStream).text();
}

test('a reader that is behind gets the newest progress, each other event, and the end', async () => {
  const stream = new EventStream(() => {});
  stream.send(batch('fill', FILL));
  for (let step = 1; step <= 10_000; step++) stream.send(batch('progress a', `p${step};`));
  stream.send(batch('status 1', 'final;'));
  stream.end();
  expect((await read(stream)).split(FILL)).toEqual([': tasklane\n\n', 'p10000;final;']);
});

test('a reader that falls behind for good is told so and let go, once', async () => {
  let closed = 0;
  const stream = new EventStream(() => closed++);
  stream.send(batch('fill', FILL));
  for (let task = 1; task <= 300; task++) stream.send(batch(`progress ${task}`, `p${task};`));
  stream.send(batch('later', 'later;'));
  expect((await read(stream)).split(FILL)).toEqual([': tasklane\n\n', 'event: lagged\ndata: {}\n\n']);
  stream.close();
  expect(closed).toBe(1);
});

test('what waits for a slow reader is bounded in bytes, too, but for one event', async () => {
  const large = 'y'.repeat(900_000);
  const [one, two] = [new EventStream(() => {}), new EventStream(() => {})];
  for (const stream of [one, two]) stream.send(batch('fill', FILL));
  one.send(batch('status 1', `${large}${large};`));
  for (let n = 0; n < 10; n++) two.send(batch('progress a', `${large}${n};`)); // of which only the newest waits
  two.send(batch('status 1', large));
  one.end();
  expect((await read(one)).split(FILL)).toEqual([': tasklane\n\n', `${large}${large};`]);
  expect((await read(two)).split(FILL)).toEqual([': tasklane\n\n', 'event: lagged\ndata: {}\n\n']);
});

test('a reader that goes is told of once', async () => {
  let closed = 0;
  const stream = new EventStream(() => closed++);
  await (stream.body as ReadableStream).cancel();
  stream.send(batch('a', 'a'));
  stream.end();
  expect(closed).toBe(1);
});
