import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TaskManager } from 'tasklane';
import { createHandler } from 'tasklane/http';
import { toNodeListener } from 'tasklane/node';
import { type Figures, median, runPart, type Scenario } from '../harness.ts';
import { type Answer, ask, load, requestText } from '../support/http-load.ts';
import { countedNoop } from '../support/noops.ts';

const CONNECTIONS = 32;
/** Bare and ours in turn: the speed of a machine drifts, that of one second to the next less. */
const TURNS = 5;
const WARM_UP = 2;
const TURN_MS = 700;

/** What is asked, and of whom. */
interface Load {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly tasklane: number;
  readonly bare: number;
}

async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Ours, in this process; the bare server and those who ask are in two others. */
async function serve(name: string, load: Pick<Load, 'method' | 'body'>): Promise<Figures> {
  const { noop } = countedNoop(Number.NaN);
  const manager = new TaskManager({ handlers: [noop] });
  await manager.start();
  const { id } = await manager.submit(noop, { n: 1 });
  const tasklane = await listen(toNodeListener(createHandler(manager)));
  const path = load.method === 'GET' ? `/tasks/${id}` : '/tasks';
  const { tasklane: ours = Number.NaN, bare = Number.NaN } = await runPart(
    'http-requests',
    'bare',
    JSON.stringify({ ...load, path, tasklane }),
  );
  return { [`${name}-tasklane`]: ours, [`${name}-bare`]: bare };
}

/** Reads the body, and sends what ours sent. */
function bareListener({ status, headers, body }: Answer): RequestListener {
  const own = headers.filter((_, at) => !/^(date|connection|keep-alive)$/i.test(headers[at - (at % 2)] ?? ''));
  return (request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => {
      if (request.method === 'POST' && text === '') throw new Error('the body is missing');
      response.writeHead(status, [...own]).end(body);
    });
  };
}

export const scenario: Scenario = {
  name: 'http-requests',
  title: `HTTP on node:http, ${CONNECTIONS} connections, memory storage`,
  unit: '/s',
  variants: {
    get: () => serve('get', { method: 'GET', body: '' }),
    post: () => serve('post', { method: 'POST', body: JSON.stringify({ handler: 'noop', input: { n: 1 } }) }),
  },
  parts: {
    async bare(argument) {
      const given = JSON.parse(argument) as Load;
      const answer = await ask(given.tasklane, given.method, given.path, given.body);
      const bare = await listen(bareListener(answer));
      return runPart('http-requests', 'load', JSON.stringify({ ...given, bare }));
    },
    async load(argument) {
      const given = JSON.parse(argument) as Load;
      const text = requestText(given.method, given.path, given.body);
      const rates: Record<'tasklane' | 'bare', number[]> = { tasklane: [], bare: [] };
      for (let turn = 0; turn < WARM_UP + TURNS; turn++) {
        for (const one of ['bare', 'tasklane'] as const) {
          const { status } = await ask(given[one], given.method, given.path, given.body);
          const rate = await load(given[one], text, status, CONNECTIONS, TURN_MS);
          if (turn >= WARM_UP) rates[one].push(rate);
        }
      }
      return { tasklane: median(rates.tasklane), bare: median(rates.bare) };
    },
  },
  rows: [
    { label: 'GET one task / bare', figure: 'get-tasklane', to: 'get-bare', target: { atLeast: [0.6] } },
    { label: 'POST a task / bare', figure: 'post-tasklane', to: 'post-bare', target: { atLeast: [0.5] } },
  ],
};
