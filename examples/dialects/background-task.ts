// A script that polls Enterprise Tester's Background Task resource by HTTP, as its help shows it: only the host is another.
import { setTimeout as wait } from 'node:timers/promises';
import { defineTask } from 'tasklane';
import { backgroundTask } from 'tasklane/dialects';
import { serve } from './serve.ts';

const reindex = defineTask({
  name: 'reindex',
  async run({ projects }: { projects: number }, { progress, signal }) {
    for (let done = 1; done <= projects; done++) {
      await wait(50, undefined, { signal });
      progress({ processed: done, total: projects, message: `Project ${done} of ${projects}` });
    }
  },
});
const broken = defineTask({
  name: 'import',
  run: () => {
    throw new Error('The file has no header row');
  },
});

const { manager, url, close } = await serve([reindex, broken], [backgroundTask({ basePath: '/EnterpriseTester' })]);
const { id } = await manager.submit(reindex, { projects: 10 });
const failing = await manager.submit(broken);

/** A background task, as the resource gives it. */
interface BackgroundTask {
  readonly Complete: boolean;
  readonly TotalElements: number;
  readonly ProcessedElements: number;
  readonly ProgressInPercent: number;
  readonly Message: string;
  readonly Self: string;
  readonly Error?: string;
}

// From here on, what such a script has always done.
async function read(self: string): Promise<BackgroundTask> {
  const authorization = `Basic ${btoa('administrator:password')}`;
  const response = await fetch(self, { headers: { accept: 'application/json', authorization } });
  if (!response.ok) throw new Error(`${response.status} for ${self}`);
  return (await response.json()) as BackgroundTask;
}

async function follow(taskId: string): Promise<BackgroundTask> {
  let task = await read(`${url}/EnterpriseTester/api/backgroundtask/${taskId}`);
  while (!task.Complete) {
    await wait(20);
    task = await read(task.Self);
  }
  return task;
}

const done = await follow(id);
console.log(`${done.ProcessedElements} of ${done.TotalElements}, ${done.ProgressInPercent * 100} %: ${done.Message}`);
console.log(`Error: ${(await follow(failing.id)).Error}`);

await close();
