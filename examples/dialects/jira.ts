// A script that follows and cancels Jira's asynchronous operations with jira.js, unchanged: only `host` is another.
import { setTimeout as wait } from 'node:timers/promises';
import { Version3Client } from 'jira.js-5'; // in your project: jira.js
import { defineTask } from 'tasklane';
import { jira } from 'tasklane/dialects';
import { serve } from './serve.ts';

const deleteProject = defineTask({
  name: 'delete-project',
  async run({ issues }: { issues: number }, { progress, signal }) {
    for (let done = 1; done <= issues; done++) {
      await wait(10, undefined, { signal });
      progress({ processed: done, total: issues, message: `Deleting issue ${done} of ${issues}` });
    }
    return { deletedIssues: issues };
  },
});

const { manager, url, close } = await serve([deleteProject], [jira()]);
const small = await manager.submit(deleteProject, { issues: 20 }, { description: 'Delete project DEMO' });
const large = await manager.submit(deleteProject, { issues: 100_000 }, { description: 'Delete project ARCHIVE' });

// From here on, what such a script has always done.
const client = new Version3Client({
  host: url,
  authentication: { basic: { email: 'ada@example.com', apiToken: 'token' } },
});

/** Asks until a task has one of these statuses. */
async function follow(taskId: string, ...ends: readonly string[]) {
  for (;;) {
    const task = await client.tasks.getTask({ taskId });
    if (ends.includes(String(task.status))) return task;
    await wait(20);
  }
}

const done = await follow(small.id, 'COMPLETE', 'FAILED', 'DEAD');
console.log(`${done.description}: ${done.status}, ${done.progress} %, ${JSON.stringify(done.result)}`);

await follow(large.id, 'RUNNING');
await client.tasks.cancelTask({ taskId: large.id });
const cancelled = await follow(large.id, 'CANCELLED');
console.log(`${cancelled.description}: ${cancelled.status}`);

await close();
