import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { TaskManager } from 'tasklane';
import { SqliteStorage } from 'tasklane/sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Body, bodyOf, eventsOf } from './http/support.ts';

const CONDITION = '--conditions=tasklane-source';

test.each(['script', 'schedule'])('examples/%s.ts > prints what it says', async (name) => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [CONDITION, resolve(`examples/${name}.ts`)]);
  expect(stderr).toBe('');
  expect(stdout).toBe(await readFile(`examples/${name}.output.txt`, 'utf8'));
});

test.each(['events', 'flow'])('npm run example %s > prints what it says', async (name) => {
  const run = [CONDITION, resolve('examples/run.ts'), name];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, run);
  expect(stderr).toBe('');
  expect(stdout).toBe(await readFile(`examples/${name}.output.txt`, 'utf8'));
});

/** The example server as a process of its own, whose working directory is a temporary one. */
class Example {
  readonly child: ChildProcess;
  readonly exited: Promise<readonly [code: number | null, signal: string | null]>;
  url = '';

  constructor(directory: string) {
    this.child = spawn(process.execPath, [CONDITION, resolve('examples/server/main.ts')], {
      cwd: directory,
      env: { ...process.env, PORT: '0', TASKLANE_DB: 'test.db' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.exited = once(this.child, 'exit') as Promise<[number | null, string | null]>;
  }

  /** Resolves when it has printed its address. */
  async ready(): Promise<this> {
    let text = '';
    for await (const chunk of this.child.stdout ?? []) {
      text += String(chunk);
      const [url] = /http:\/\/127\.0\.0\.1:\d+(?=\s)/.exec(text) ?? [];
      if (url === undefined) continue;
      this.url = url;
      return this;
    }
    throw new Error(`The server ended before it was ready: ${text}`);
  }

  async submit(handler: string, input: unknown): Promise<string> {
    const response = await fetch(`${this.url}/tasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ handler, input }),
    });
    expect(response.status).toBe(202);
    return (await bodyOf(response)).id;
  }

  async json(path: string): Promise<Body> {
    return bodyOf(await fetch(this.url + path));
  }

  events(id: string): ReturnType<typeof eventsOf> {
    const response = fetch(`${this.url}/tasks/${id}/events`);
    return (async function* () {
      yield* eventsOf(await response);
    })();
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<readonly [number | null, string | null]> {
    this.child.kill(signal);
    return this.exited;
  }
}

describe('examples/server', () => {
  let directory: string;
  let running: Example[];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tasklane-example-'));
    running = [];
  });
  afterEach(async () => {
    for (const { child, exited } of running) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await exited;
    }
    await rm(directory, { recursive: true, force: true });
  });

  const start = (): Promise<Example> => {
    const server = new Example(directory);
    running.push(server);
    return server.ready();
  };

  /** A folder of `count` files, each with a word of its own and enough others to take a while. */
  const fill = async (count: number, words: number): Promise<void> => {
    const folder = join(directory, 'docs');
    for (const below of ['deep', 'node_modules', '.git']) await mkdir(join(folder, below), { recursive: true });
    const text = Array.from({ length: words }, (_, n) => `word${n % 997}`).join(' ');
    for (let n = 0; n < count; n++) await writeFile(join(folder, `deep/f${n}.md`), `own${n} ${text}`);
    await writeFile(join(folder, 'image.png'), 'own0');
    await writeFile(join(folder, 'large.txt'), 'x'.repeat(1_048_577));
    await writeFile(join(folder, 'node_modules/a.js'), 'own0');
    await writeFile(join(folder, '.git/a.md'), 'own0');
  };

  test('reindex > follows to its end, and can be searched, after a restart too', async () => {
    await fill(300, 10);
    const server = await start();
    const id = await server.submit('reindex', { folder: 'docs' });
    const seen = [];
    for await (const event of server.events(id)) seen.push(event);
    expect(seen[0]?.event).toBe('status');
    expect(seen.at(-1)?.data).toMatchObject({ status: 'succeeded' });
    const task = await server.json(`/tasks/${id}`);
    expect(task).toMatchObject({ result: { folder: 'docs', files: 300 }, progress: { processed: 300, total: 300 } });
    const hits = { hits: [{ file: 'docs/deep/f7.md', score: expect.any(Number) }] };
    expect((await server.json('/search?q=own7')).hits).toContainEqual(hits.hits[0]);
    expect(await server.json('/search?q=own299')).toMatchObject({ hits: [{ file: 'docs/deep/f299.md' }] });
    expect(await server.json('/search?q=nowhere')).toEqual({ hits: [] });
    expect(await server.end('SIGTERM')).toEqual([0, null]);
    const again = await start();
    expect(await again.json('/search?q=own299')).toMatchObject({ hits: [{ file: 'docs/deep/f299.md' }] });
  });

  test('reindex > fails clearly for a folder that is not there', async () => {
    const server = await start();
    const id = await server.submit('reindex', { folder: 'nowhere' });
    const task = await server.json(`/tasks/${id}?wait=30s`);
    expect(task).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('no folder nowhere') } });
  });

  test('reindex > killed half-way, it goes on from its checkpoint in the next process', async () => {
    await fill(1_500, 2_000);
    const server = await start();
    const id = await server.submit('reindex', { folder: 'docs' });
    let processed = 0;
    for await (const { data } of server.events(id)) {
      const checkpoint = data.checkpoint as { processed: number } | null | undefined;
      processed = checkpoint?.processed ?? 0;
      if (processed > 0) break;
    }
    await server.end('SIGKILL');
    expect(processed).toBeGreaterThan(0);
    expect(processed).toBeLessThan(1_500);

    const next = await start();
    const seen = [];
    for await (const event of next.events(id)) seen.push(event);
    const task = await next.json(`/tasks/${id}`);
    expect(task).toMatchObject({ status: 'succeeded', attempt: 2, lost: 1, result: { files: 1_500 } });
    const { items } = { items: seen.filter(({ event }) => event === 'log') };
    const [, from] = /goes on after (\d+) of 1500 files/.exec(String(items[0]?.data.message)) ?? [];
    expect(Number(from)).toBeGreaterThanOrEqual(processed);
    for (const n of [0, 749, 1_499]) {
      expect(await next.json(`/search?q=own${n}`)).toMatchObject({
        hits: expect.arrayContaining([expect.objectContaining({ file: `docs/deep/f${n}.md` })]),
      });
    }
  });

  test('fail > throws as often as it is told, then succeeds', async () => {
    const server = await start();
    const [twice, thrice] = [
      await server.submit('fail', { message: 'no', times: 2 }),
      await server.submit('fail', { message: 'no', times: 3 }),
    ];
    expect(await server.json(`/tasks/${twice}?wait=30s`)).toMatchObject({ status: 'succeeded', attempt: 3 });
    expect(await server.json(`/tasks/${thrice}?wait=30s`)).toMatchObject({
      status: 'failed',
      error: { message: 'no' },
    });
  });

  test('sleep > honours a cancel', async () => {
    const server = await start();
    const done = await server.submit('sleep', { ms: 50, steps: 5 });
    const task = await server.json(`/tasks/${done}?wait=30s`);
    expect(task).toMatchObject({ result: { ms: 50, steps: 5 }, progress: { processed: 5, total: 5 } });
    const id = await server.submit('sleep', { ms: 600_000 });
    await fetch(`${server.url}/tasks/${id}/cancel`, { method: 'POST' });
    expect(await server.json(`/tasks/${id}?wait=30s`)).toMatchObject({ status: 'cancelled' });
  });

  test('SIGTERM > exits 0 and gives back what 5 s did not finish', async () => {
    const server = await start();
    const id = await server.submit('sleep', { ms: 600_000, steps: 2 });
    for await (const { data } of server.events(id)) if (data.status === 'running') break;
    expect(await server.end('SIGTERM')).toEqual([0, null]);
    const manager = new TaskManager({ storage: new SqliteStorage(join(directory, 'test.db')) });
    await manager.start({ run: false });
    expect(await manager.get(id)).toMatchObject({ status: 'queued', interrupted: 1, attempt: 1, lost: 0 });
    await manager.close();
  });
});
