import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AnyTask, TaskManager } from 'tasklane';
import { backgroundTask, jira, svix, taskV2, waylay } from 'tasklane/dialects';
import { createHandler, type Dialect } from 'tasklane/http';
import { toNodeListener } from 'tasklane/node';
import { median, runPart, type Scenario } from '../harness.ts';
import { ask, load, requestText } from '../support/http-load.ts';
import { countedNoop } from '../support/noops.ts';

const CONNECTIONS = 32;
const TURNS = 5;
const WARM_UP = 2;
const TURN_MS = 500;

/** Each dialect, and the path of a task of ours in it. */
const DIALECTS: readonly { readonly dialect: Dialect; path(id: string): string }[] = [
  { dialect: svix(), path: (id) => `/api/v1/background-task/qtask_${id.slice(-27)}` },
  { dialect: backgroundTask(), path: (id) => `/api/backgroundtask/noop-${id.slice(-27)}` },
  { dialect: jira(), path: (id) => `/rest/api/3/task/${id}` },
  { dialect: taskV2(), path: (id) => `/v2/task/view/${id}` },
  { dialect: waylay(), path: (id) => `/rules/v1/tasks/${id}` },
];

/** What is asked for in turn. */
interface Load {
  readonly port: number;
  readonly own: string;
  readonly paths: Readonly<Record<string, string>>;
}

export const scenario: Scenario = {
  name: 'dialect-get',
  title: `A dialect's GET of a task, ${CONNECTIONS} connections, memory storage, next to our own`,
  unit: '/s',
  variants: {
    async get() {
      const { noop } = countedNoop(1);
      const manager = new TaskManager({ handlers: [noop] as readonly AnyTask[] });
      await manager.start();
      const submitted = await manager.submit('noop', { n: 1 });
      await submitted.result();
      const handler = createHandler(manager, { dialects: DIALECTS.map(({ dialect }) => dialect) });
      const server = createServer(toNodeListener(handler)).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { id } = submitted;
      const paths = Object.fromEntries(DIALECTS.map(({ dialect, path }) => [dialect.name, path(id)]));
      const asked: Load = { port: (server.address() as AddressInfo).port, own: `/tasks/${id}`, paths };
      return runPart('dialect-get', 'load', JSON.stringify(asked));
    },
  },
  parts: {
    async load(argument) {
      const { port, own, paths } = JSON.parse(argument) as Load;
      const rate = async (path: string): Promise<number> => {
        const { status } = await ask(port, 'GET', path);
        if (status !== 200) throw new Error(`${status} for ${path}`);
        return load(port, requestText('GET', path), status, CONNECTIONS, TURN_MS);
      };
      const rates: Record<string, number[]> = {};
      for (let turn = 0; turn < WARM_UP + TURNS; turn++) {
        for (const [name, path] of Object.entries(paths)) {
          // next to each other, as the speed of a machine drifts
          const [one, other] = [await rate(path), await rate(own)];
          if (turn < WARM_UP) continue;
          rates[name] = [...(rates[name] ?? []), one];
          rates[`${name}, own`] = [...(rates[`${name}, own`] ?? []), other];
        }
      }
      return Object.fromEntries(Object.entries(rates).map(([name, values]) => [name, median(values)]));
    },
  },
  rows: DIALECTS.map(({ dialect: { name } }) => ({
    label: `${name} / GET /tasks/{id}`,
    figure: name,
    to: `${name}, own`,
    target: { atLeast: [0.8, 1] },
  })),
};
