import { type TaskFilter, TaskManager, type TaskRecord } from 'tasklane';
import { SqliteStorage } from 'tasklane/sqlite';
import { type Figures, median, type Row, type Scenario } from '../harness.ts';
import { fill, idAt } from '../support/fill.ts';
import { temporaryFile } from '../support/temporary.ts';

const COUNT = 1_000_000;
const FINAL = 200_000;
const PAGES = 200;

/** Of the first one; each is a ms older than the next. */
const CREATED = Date.UTC(2026, 0, 1);
const HANDLERS = ['index', 'mail', 'scale', 'sync'];
const FILTERS: Readonly<Record<string, TaskFilter>> = {
  none: {},
  queued: { status: 'queued' },
  scheduled: { status: 'scheduled' },
  cancelled: { status: 'cancelled' },
  unfinished: { status: ['waiting', 'scheduled', 'queued', 'running', 'cancelling'] },
  handler: { handler: 'mail' },
  handlers: { handler: ['mail', 'sync'] },
  submittedBy: { submittedBy: 'user-7' },
  entityId: { entityId: 'entity-7' },
  parentId: { parentId: 'parent-7' },
  scheduleId: { scheduleId: 'schedule-7' },
  description: { description: 'description-7' },
  tag: { tags: { team: 'team-7' } },
  'any value of a tag': { tags: { team: { any: true } } },
  created: { created: { after: CREATED + COUNT / 20, before: CREATED + COUNT * 0.95 } },
  updated: { updated: { after: CREATED + COUNT / 20, before: CREATED + COUNT * 0.95 } },
  finished: { finished: { after: CREATED } },
};

/** A file of a million tasks of all kinds. */
async function millionFile(file: string): Promise<void> {
  const storage = new SqliteStorage(file);
  await storage.open();
  await fill(storage, COUNT, (n): Partial<TaskRecord> => {
    const scheduled = n % 4 === 0;
    return {
      handler: HANDLERS[n % 4 === 0 ? (n / 4) % 4 : n % 4] ?? '',
      status: scheduled ? 'scheduled' : 'queued',
      runAt: scheduled ? Date.now() + 1e9 : null,
      createdAt: CREATED + n,
      queuedAt: scheduled ? null : CREATED + n,
      updatedAt: CREATED + n,
      submittedBy: `user-${n % 50}`,
      entityId: `entity-${n % 50}`,
      parentId: `parent-${n % 50}`,
      scheduleId: `schedule-${n % 50}`,
      description: `description-${n % 50}`,
      tags: { team: `team-${n % 50}` },
    };
  });
  for (let from = 0; from < FINAL; from += 1_000) {
    const step = { reason: 'cancelled', to: 'cancelled' } as const;
    const ids = Array.from({ length: 1_000 }, (_, n) => idAt((from + n) * (COUNT / FINAL)));
    await storage.change(ids.map((taskId) => ({ taskId, steps: { queued: step, scheduled: step } })));
  }
  await storage.close();
}

/** @returns us of the first page and of one at nine tenths of the depth */
async function pagesOf(manager: TaskManager, filter: TaskFilter): Promise<readonly [first: number, deep: number]> {
  const place = await manager.list({ filter, limit: 1, after: idAt(COUNT / 10) });
  const cursor = place.next;
  if (cursor === null) throw new Error('there is nothing at that depth');
  const first: number[] = [];
  const deep: number[] = [];
  for (let page = 0; page < PAGES; page++) {
    for (const [times, from] of [
      [first, {}],
      [deep, { cursor }],
    ] as const) {
      const begun = performance.now();
      const { items } = await manager.list({ filter, limit: 50, ...from });
      times.push((performance.now() - begun) * 1e3);
      if (items.length !== 50) throw new Error(`a page of ${items.length}`);
    }
  }
  return [median(first), median(deep)];
}

export const scenario: Scenario = {
  name: 'sqlite-pages',
  title: 'SQLite, a page of 50 of 1,000,000 tasks, at nine tenths of the depth / the first one',
  unit: 'us',
  full: true,
  rounds: 1,
  variants: {
    async pages() {
      const file = temporaryFile();
      await millionFile(file);
      const manager = new TaskManager({ storage: new SqliteStorage(file) });
      const figures: Record<string, number> = {};
      for (const [name, filter] of Object.entries(FILTERS)) {
        [figures[`${name}, first`], figures[`${name}, deep`]] = await pagesOf(manager as TaskManager, filter);
      }
      await manager.close();
      return figures as Figures;
    },
  },
  rows: [
    ...Object.keys(FILTERS).map(
      (name): Row => ({
        label: `filter: ${name}`,
        figure: `${name}, deep`,
        to: `${name}, first`,
        target: { atMost: [2, 1.3] },
      }),
    ),
    // A ratio says nothing where both pages are slow.
    ...['created', 'updated', 'finished', 'any value of a tag'].map(
      (name): Row => ({
        label: `first page: ${name} / none`,
        figure: `${name}, first`,
        to: 'none, first',
        target: { atMost: [5, 2] },
      }),
    ),
  ],
};
