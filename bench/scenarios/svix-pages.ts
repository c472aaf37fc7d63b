import { TaskManager, type TaskRecord } from 'tasklane';
import { svix } from 'tasklane/dialects';
import { createHandler, type TaskHandler } from 'tasklane/http';
import { SqliteStorage } from 'tasklane/sqlite';
import { median, type Row, type Scenario } from '../harness.ts';
import { fillFile, idAt } from '../support/fill.ts';
import { temporaryFile } from '../support/temporary.ts';

const COUNT = 1_000_000;
const PAGES = 200;
const ROOT = 'http://127.0.0.1/api/v1/background-task';

/** How deep, as a share of all. */
const DEPTHS = [0.1, 0.5, 0.9, 0.999];
const QUERIES: Readonly<Record<string, { readonly query: string; readonly up?: true }>> = {
  descending: { query: '' },
  ascending: { query: 'order=ascending&', up: true },
  'backwards, descending': { query: 'backwards&', up: true },
  'status=running': { query: 'status=running&' },
};

async function page(handler: TaskHandler, query: string): Promise<number> {
  const begun = performance.now();
  const response = await handler(new Request(`${ROOT}?${query}limit=50`));
  const { data } = (await response.json()) as { readonly data: readonly unknown[] };
  if (data.length !== 50) throw new Error(`a page of ${data.length}`);
  return (performance.now() - begun) * 1e3;
}

export const scenario: Scenario = {
  name: 'svix-pages',
  title: 'SQLite, 1,000,000 tasks, a page of 50 of the Svix list at a depth / the first one',
  unit: 'us',
  full: true,
  rounds: 1,
  variants: {
    async pages() {
      const file = temporaryFile();
      const now = Date.now();
      await fillFile(file, COUNT, (n): Partial<TaskRecord> => {
        const createdAt = now - COUNT + n;
        return { createdAt, queuedAt: createdAt, updatedAt: createdAt, submittedBy: `user-${n % 50}` };
      });
      const manager = new TaskManager({ storage: new SqliteStorage(file) });
      const handler = createHandler(manager as TaskManager, { dialects: [svix()] });
      const figures: Record<string, number> = {};
      for (const [name, { query, up }] of Object.entries(QUERIES)) {
        const backwards = query.startsWith('backwards');
        const rest = backwards ? '' : query;
        const places = DEPTHS.map((depth) => Math.floor(COUNT * (up ? depth : 1 - depth)));
        const times = [0, ...DEPTHS].map(() => [] as number[]);
        for (let turn = 0; turn < PAGES; turn++) {
          times[0]?.push(await page(handler, rest));
          for (const [at, place] of places.entries()) {
            const iterator = `iterator=${backwards ? '-' : ''}qtask_${idAt(place).slice(-27)}&`;
            times[at + 1]?.push(await page(handler, rest + iterator));
          }
        }
        for (const [at, values] of times.entries()) figures[`${name}, ${[0, ...DEPTHS][at]}`] = median(values);
      }
      await handler.close();
      await manager.close();
      return figures;
    },
  },
  rows: Object.keys(QUERIES).flatMap((name) =>
    DEPTHS.map(
      (depth): Row => ({
        label: `${name}, at ${depth}`,
        figure: `${name}, ${depth}`,
        to: `${name}, 0`,
        target: { atMost: [3, 1.5] },
      }),
    ),
  ),
};
