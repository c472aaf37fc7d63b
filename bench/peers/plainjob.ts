import { DatabaseSync } from 'node:sqlite';
import { type Connection, defineQueue, defineWorker, type Logger, type Queue } from 'plainjob';
import { temporaryFile } from '../support/temporary.ts';

const SILENT: Logger = { error() {}, warn() {}, info() {}, debug() {} };

/** @returns no-ops a second, from the first add until the last is done. The worker starts late, as its poll would sleep. */
export async function runPlainjob(count: number, add: (queue: Queue, count: number) => void): Promise<number> {
  const queue = defineQueue({ connection: connect(temporaryFile()), logger: SILENT });
  const { promise: all, resolve } = Promise.withResolvers<void>();
  let done = 0;
  const worker = defineWorker('noop', async () => {}, {
    queue,
    logger: SILENT,
    onCompleted() {
      if (++done === count) resolve();
    },
  });
  const begun = performance.now();
  add(queue, count);
  void worker.start();
  await all;
  const seconds = (performance.now() - begun) / 1e3;
  await worker.stop();
  queue.close();
  return count / seconds;
}

/** Its connection, on the same SQLite as ours. */
function connect(filename: string): Connection {
  const database = new DatabaseSync(filename);
  const transaction =
    (mode: string, work: (...values: never[]) => unknown) =>
    (...values: never[]): unknown => {
      database.exec(`begin ${mode}`);
      try {
        const value = work(...values);
        database.exec('commit');
        return value;
      } finally {
        if (database.isTransaction) database.exec('rollback');
      }
    };
  return {
    driver: 'better-sqlite3',
    filename,
    pragma: (statement) => database.exec(`pragma ${statement}`),
    exec: (statement) => database.exec(statement),
    prepare: (statement) => database.prepare(statement) as unknown as ReturnType<Connection['prepare']>,
    transaction: (work) =>
      Object.assign(transaction('deferred', work), { immediate: transaction('immediate', work) }) as never,
    close: () => database.close(),
  };
}
