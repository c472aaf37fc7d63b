// A script that runs Waylay rules, tags and stops them with @waylay/client, unchanged: only `baseUrl` is another.
import { setTimeout as wait } from 'node:timers/promises';
import Waylay from '@waylay/client';
import { defineTask } from 'tasklane';
import { waylay } from 'tasklane/dialects';
import { serve } from './serve.ts';

const alarm = defineTask({
  name: 'temperature-alarm',
  async run({ above }: { above: number }, { signal }) {
    for (let measured = 18; measured <= above; measured++) await wait(10, undefined, { signal });
    return { alarmed: true };
  },
});

const { url, close } = await serve([alarm], [waylay()]);

// From here on, what such a script has always done.
const { tasks } = new Waylay({ clientID: 'key', secret: 'secret', domain: 'x.invalid', api: { baseUrl: url } });

const rule = { template: 'temperature-alarm', type: 'onetime' };
for (const [resource, above] of [
  ['cellar', 20],
  ['attic', 1_000_000],
] as const) {
  await tasks.create({ ...rule, name: `Alarm in the ${resource}`, resource, variables: { above }, tags: { house: 1 } });
}
console.log(`${await tasks.count({ 'tags.house': 1 })} tasks`);

while ((await tasks.count({ status: 'stopped' })) === 0) await wait(20);
for (const task of await tasks.list({ limit: 10 })) console.log(`${task.name}: ${task.status}`);

const [attic = { ID: '' }] = await tasks.list({ resource: 'attic' });
await tasks.stop(attic.ID);
while ((await tasks.get(attic.ID)).status === 'running') await wait(20);
await tasks.batchRemove((await tasks.list({ limit: 10 })).map((task) => task.ID));
console.log(`${await tasks.count()} tasks`);

await close();
