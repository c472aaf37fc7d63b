// Runs against the packed package on the oldest supported Node, which cannot parse `using`: it was lowered, or this fails.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { defineTask, MemoryStorage, TaskManager } from 'tasklane';
import { TaskClient } from 'tasklane/client';
import { createHandler } from 'tasklane/http';
import { toNodeListener } from 'tasklane/node';
import { SqliteStorage } from 'tasklane/sqlite';
import { fakeClock, storageCases } from 'tasklane/testing';

assert.match(process.version, /^v22\.18\./);
assert.match(import.meta.resolve('tasklane'), /\/dist\/index\.js$/);
const HTTP = ['/http', '/node', '/express', '/fastify', '/koa', '/hono', '/nest', '/next', '/client'];
for (const path of ['', '/sqlite', '/testing', ...HTTP]) {
  const file = fileURLToPath(import.meta.resolve(`tasklane${path}`));
  assert.ok(existsSync(file.replace(/\.js$/, '.d.ts')), `no types beside ${file}`);
}
// The types of a dependency that ours do not name are not for an app to compile.
const dist = dirname(fileURLToPath(import.meta.resolve('tasklane')));
for (const name of readdirSync(dist).filter((file) => file.endsWith('.d.ts'))) {
  assert.doesNotMatch(readFileSync(join(dist, name), 'utf8'), /^import "[^.]/m, name);
}
assert.equal(typeof fakeClock, 'function');
assert.ok(storageCases.length > 0);

const add = defineTask({ name: 'add', run: ({ a, b }) => a + b });
const folder = mkdtempSync(join(tmpdir(), 'tasklane-smoke-'));
try {
  for (const storage of [new MemoryStorage(), new SqliteStorage(join(folder, 'tasks.db'))]) {
    const manager = new TaskManager({ handlers: [add], storage });
    await manager.start();
    const task = await manager.submit(add, { a: 1, b: 2 });
    assert.equal(await task.result(), 3);
    assert.equal((await manager.get(task.id)).status, 'succeeded');

    const handler = createHandler(manager);
    const server = createServer(toNodeListener(handler)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const response = await fetch(`http://127.0.0.1:${server.address().port}/tasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ handler: 'add', input: { a: 2, b: 3 } }),
    });
    assert.equal(response.status, 202);
    const { id } = await response.json();
    assert.equal(await manager.task(id).result(), 5);

    const client = new TaskClient({ baseUrl: `http://127.0.0.1:${server.address().port}` });
    const submitted = await client.submit('add', { a: 3, b: 4 });
    assert.equal((await client.wait(submitted.id)).result, 7);

    // rrule-temporal brings a Temporal of its own where Node has none, as here.
    assert.equal(typeof Temporal, 'undefined');
    const start = Math.ceil((Date.now() + 500) / 1_000) * 1_000;
    await manager.schedules.create({ key: 'cron', handler: add, input: { a: 4, b: 5 }, cron: '* * * * * *', start });
    await manager.schedules.create({
      ...{ key: 'rrule', handler: add, input: { a: 6, b: 7 }, start },
      rrule: `DTSTART;TZID=Europe/Berlin:20200101T000000\nRRULE:FREQ=SECONDLY`,
    });
    const berlin = { rrule: 'DTSTART;TZID=Europe/Berlin:20260327T023000\nRRULE:FREQ=DAILY;COUNT=4' };
    const ticks = await manager.schedules.preview({ ...berlin, from: Date.UTC(2026, 2, 1) });
    const hours = ['27T01:30', '28T01:30', '29T01:00', '30T00:30'].map((each) => `2026-03-${each}:00.000Z`);
    assert.deepEqual(
      ticks.map((tick) => new Date(tick).toISOString()),
      hours,
    );
    for (const [scheduleId, sum] of Object.entries({ cron: 9, rrule: 13 })) {
      for (let tasks = []; tasks.length < 2; await setTimeout(50)) {
        tasks = (await manager.list({ filter: { scheduleId }, sort: 'createdAt' })).items;
        if (tasks.length < 2) continue;
        assert.equal(await manager.task(tasks[0].id).result(), sum);
        assert.equal(tasks[0].tick, start);
        assert.equal(tasks[1].tick, start + 1_000);
      }
    }

    await handler.close();
    server.closeAllConnections();
    server.close();
    await manager.close();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`the packed package works on Node ${process.version}`);
