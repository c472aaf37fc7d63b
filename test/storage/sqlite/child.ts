import { SqliteStorage } from '../../../src/storage/sqlite/index.ts';
import { draftOf, joinAs } from './support.ts';

/** What the parent asks for. */
export type Order =
  | { readonly kind: 'insert'; readonly ids: readonly string[]; readonly idempotencyKey: string | null }
  | { readonly kind: 'claim'; readonly workerId: string }
  | { readonly kind: 'stay'; readonly ids: readonly string[] };

const path = process.argv[2] ?? '';

process.on('message', (order: Order) => {
  run(order).then(
    (answer) => process.send?.({ answer }),
    (error: { code?: string; name?: string; message?: string }) =>
      process.send?.({ error: { code: error.code, name: error.name, message: error.message } }),
  );
});
process.send?.('ready');

async function run(order: Order): Promise<unknown> {
  const storage = new SqliteStorage(path);
  await storage.open();
  switch (order.kind) {
    case 'insert':
    case 'stay': {
      const idempotencyKey = order.kind === 'insert' ? order.idempotencyKey : null;
      // One call each, so that the processes get between one another.
      const answers = await Promise.all(
        order.ids.map(async (id, index) => {
          await new Promise((resolve) => setTimeout(resolve, index % 10));
          return storage.insert([draftOf(id, { idempotencyKey })]);
        }),
      );
      if (order.kind === 'insert') await storage.close();
      return answers.flat();
    }
    case 'claim': {
      await joinAs(storage, order.workerId);
      const claimed: string[] = [];
      for (let call = 0; ; call++) {
        const { claims } = await storage.claim({
          workerId: order.workerId,
          token: `${order.workerId}-${call}`,
          handlers: [{ name: 'work', limit: 7 }],
          limit: 7,
        });
        if (claims.length === 0) break;
        claimed.push(...claims.map(({ task }) => task.id));
      }
      await storage.close();
      return claimed;
    }
  }
}
