import { type TaskFilter, TaskManager, type TaskRecord } from 'tasklane';
import { taskV2, waylay } from 'tasklane/dialects';
import { createHandler, type TaskHandler } from 'tasklane/http';
import { SqliteStorage } from 'tasklane/sqlite';
import { median, type Row, type Scenario } from '../harness.ts';
import { fillFile } from '../support/fill.ts';
import { temporaryFile } from '../support/temporary.ts';

const COUNT = 1_000_000;
const LIMIT = 50;
const TURNS = 15;

/** How deep, as a share of all. */
const DEPTHS = [0, 0.1, 0.9];

/** A page of each dialect that pages by offset. */
const PAGES: Readonly<Record<string, (offset: number) => Request>> = {
  taskV2: (offset) =>
    new Request('http://127.0.0.1/v2/task/index', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ 'per-page': LIMIT, page: offset / LIMIT + 1 }),
    }),
  waylay: (offset) => new Request(`http://127.0.0.1/rules/v1/tasks?hits=${LIMIT}&startIndex=${offset}`),
};

/** What the storage is asked for them: Waylay's lists have schedules in the place of the tasks that these made. */
const FILTERS: Readonly<Record<string, TaskFilter>> = { taskV2: {}, waylay: { scheduleId: { none: true } } };

/** The same page of our own API, which pages by cursors. */
const FIRST_PAGE = `http://127.0.0.1/tasks?limit=${LIMIT}&total=true&include=input,result`;

async function timed(work: () => Promise<number>): Promise<number> {
  const begun = performance.now();
  const items = await work();
  if (items !== LIMIT) throw new Error(`a page of ${items}`);
  return (performance.now() - begun) * 1e3;
}

async function ask(handler: TaskHandler, request: Request): Promise<number> {
  const page = (await (await handler(request)).json()) as readonly unknown[] | { readonly items: readonly unknown[] };
  return 'items' in page ? page.items.length : page.length;
}

export const scenario: Scenario = {
  name: 'offset-pages',
  title: "SQLite, 1,000,000 tasks, a page of 50 by offset with its total / the storage's own offset query",
  unit: 'us',
  full: true,
  rounds: 1,
  variants: {
    async pages() {
      const file = temporaryFile();
      await fillFile(file, COUNT, (n): Partial<TaskRecord> => ({ submittedBy: `user-${n % 50}` }));
      const manager = new TaskManager({ storage: new SqliteStorage(file) });
      const handler = createHandler(manager as TaskManager, { dialects: [taskV2(), waylay()] });
      const figures: Record<string, number> = {};
      const first: number[] = [];
      for (const depth of DEPTHS) {
        const offset = Math.floor((COUNT * depth) / LIMIT) * LIMIT;
        const times: Record<string, number[]> = { taskV2: [], waylay: [], 'own taskV2': [], 'own waylay': [] };
        for (let turn = 0; turn < TURNS; turn++) {
          if (offset === 0) first.push(await timed(() => ask(handler, new Request(FIRST_PAGE))));
          for (const [name, page] of Object.entries(PAGES)) {
            const filter = FILTERS[name];
            const own = async (): Promise<number> =>
              (await manager.list({ filter, limit: LIMIT, offset })).items.length;
            times[`own ${name}`]?.push(await timed(own));
            times[name]?.push(await timed(() => ask(handler, page(offset))));
          }
        }
        for (const [name, values] of Object.entries(times)) figures[`${name}, ${depth}`] = median(values);
      }
      figures['own API'] = median(first);
      await handler.close();
      await manager.close();
      return figures;
    },
  },
  // The first page costs what turning 50 tasks into JSON costs, whatever the storage does: so it has another measure.
  rows: Object.keys(PAGES).flatMap((name) =>
    DEPTHS.map(
      (depth): Row => ({
        label: `${name}, at ${depth}`,
        figure: `${name}, ${depth}`,
        to: depth === 0 ? 'own API' : `own ${name}, ${depth}`,
        target: { atMost: [1.5, 1.1] },
      }),
    ),
  ),
};
