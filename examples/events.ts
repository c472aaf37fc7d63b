// Events start tasks: `npm run example events`
import { defineTask, TaskManager } from 'tasklane';

const receipt = defineTask({
  name: 'receipt',
  on: 'invoice.paid',
  run: ({ invoice, cents }: { invoice: string; cents: number }) => `receipt for ${invoice}: ${cents / 100} EUR`,
});

const books = defineTask({
  name: 'books',
  on: ['invoice.paid', 'invoice.refunded'],
  fromEvent: ({ cents }: { cents: number }, event) => (event === 'invoice.paid' ? cents : -cents),
  run: (cents: number) => `booked ${cents}`,
});

// thousands of changes in a moment are one run for each folder, once there is quiet
const reindex = defineTask({
  name: 'reindex',
  on: 'file.changed',
  debounce: { wait: '50ms', maxWait: '1s', key: ({ folder }) => folder },
  run: ({ folder, change }: { folder: string; change: number }) => `indexed ${folder} as of change ${change}`,
});

const manager = new TaskManager({ handlers: [receipt, books, reindex] });
await manager.start();

// an event starts all that is bound to it, together; published again with its key, nothing
const paid = { invoice: 'A-1', cents: 1250 };
const started = await manager.publish('invoice.paid', paid, { idempotencyKey: 'evt_1' });
for (const task of started) console.log(await task.result());
const again = await manager.publish('invoice.paid', paid, { idempotencyKey: 'evt_1' });
console.log('again:', again.map(({ matched }) => matched).join(', '));
const [refund] = await manager.publish('invoice.refunded', { cents: 1250 });
console.log(await refund?.result());

// a storm of events
const changes = await Promise.all(
  Array.from({ length: 10_000 }, (_, change) =>
    manager.publish('file.changed', { folder: change % 2 ? 'a' : 'b', change }),
  ),
);
const tasks = new Map(changes.flat().map((task) => [task.id, task]));
console.log(`${changes.length} events, ${tasks.size} tasks`);
for (const task of tasks.values()) console.log(await task.result());

// while one task of a key runs, one waits for its end, with the last input
const { promise: change3, resolve: changed3 } = Promise.withResolvers<void>();
const sync = defineTask({
  name: 'sync',
  async run(version: number) {
    if (version === 1) await change3;
    return `synced ${version}`;
  },
});
manager.register(sync);
const running = new Promise((resolve) => manager.on('task:started', resolve));
const unique = { key: 'shop', onConflict: 'runAfter' } as const;
const first = await manager.submit(sync, 1, { unique });
await running;
const waiting = await manager.submit(sync, 2, { unique });
await manager.submit(sync, 3, { unique });
changed3();
console.log(await first.result(), 'then', await waiting.result());

await manager.close();
