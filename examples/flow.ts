// A flow: extract from two sources, load both, and report. `npm run example flow`
import { defineTask, TaskManager } from 'tasklane';

const extract = defineTask({
  name: 'extract',
  run(source: string) {
    if (source === 'weather') throw new Error(`${source} does not answer`);
    return [`${source} 1`, `${source} 2`];
  },
});

const load = defineTask({
  name: 'load',
  async run(_input: undefined, { dependencies, log }) {
    const found = await dependencies(extract);
    for (const { error } of found) if (error !== null) log(error.message, { level: 'warn' });
    return found.flatMap(({ result }) => result ?? []);
  },
});

const publish = defineTask({
  name: 'publish',
  async run(pages: readonly string[], { submit }) {
    // Children that it submits itself, and waits for.
    const children = await Promise.all(pages.map((page) => submit(render, page)));
    return Promise.all(children.map((child) => child.result()));
  },
});

const render = defineTask({ name: 'render', run: (page: string) => `<h1>${page}</h1>` });

const manager = new TaskManager({ handlers: [extract, load, publish, render] });
await manager.start();

// whole or not at all: items name each other by `ref`
const [, , loaded, published, audited] = await manager.submitMany([
  { handler: extract, input: 'sales', ref: 'sales' },
  { handler: extract, input: 'weather', ref: 'weather' },
  { handler: load, ref: 'load', dependsOn: ['sales', { id: 'weather', onFailure: 'run' }] },
  { handler: publish, input: ['index', 'about'], dependsOn: ['load'] },
  { handler: load, dependsOn: ['weather'] },
]);
console.log('loaded:', await loaded.result());
console.log('published:', await published.result());
await audited.result().catch((error: Error) => console.log(error.name));

const { dependencies, dependents } = await manager.related(loaded.id);
for (const { task, onFailure } of dependencies) console.log('waited for:', task.input, task.status, onFailure);
for (const { task } of dependents) console.log('waited for it:', task.handler, task.status);

await manager.close();
