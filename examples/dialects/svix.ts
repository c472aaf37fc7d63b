// A script that waits for Svix background tasks, and pages through all of them, with svix, unchanged: only `serverUrl` is another.
import { setTimeout as wait } from 'node:timers/promises';
import { Ordering, Svix } from 'svix';
import { defineTask } from 'tasklane';
import { svix } from 'tasklane/dialects';
import { serve } from './serve.ts';

const replay = defineTask({
  name: 'replay-messages',
  async run({ messages }: { messages: number }, { progress, signal }) {
    for (let sent = 1; sent <= messages; sent++) {
      await wait(5, undefined, { signal });
      progress({ processed: sent, total: messages });
    }
    return { messagesSent: messages };
  },
});
const stats = defineTask({ name: 'usage', run: () => ({ appsWithStats: 2 }) });

const words = { 'replay-messages': 'endpoint.replay', usage: 'application.stats' } as const;
const { manager, url, close } = await serve([replay, stats], [svix({ tasks: words })]);
const { id } = await manager.submit(replay, { messages: 20 });
for (let app = 1; app <= 5; app++) await manager.submit(stats);

// From here on, what such a script has always done.
const { backgroundTask } = new Svix('testsk_example', { serverUrl: url });

let task = await backgroundTask.get(id);
while (task.status === 'running') {
  await wait(20);
  task = await backgroundTask.get(task.id);
}
console.log(task.status, task.task, JSON.stringify(task.data));

const all = [];
for (let iterator: string | null = null; ; ) {
  const page = await backgroundTask.list({ limit: 2, order: Ordering.Ascending, iterator });
  all.push(...page.data);
  if (page.done) break;
  iterator = page.iterator;
}
console.log(all.map((one) => one.task).join(' '));

await close();
