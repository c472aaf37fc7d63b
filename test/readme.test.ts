import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const readme = await readFile(join(root, 'README.md'), 'utf8');
/** Their code is run by the tests of the clients and the adapters. */
const TESTED_ELSEWHERE = ['client.md', 'frameworks.md'];
const pages = (await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md'));

/** A file of the repository, as code in a text. */
const NAMED = /`((?:src|test|bench|examples)\/[\w./-]+\.\w+)`/g;
/** A test or the cases of a storage, those of the row above too. */
const PROOF = /(?:test|src\/testing\/cases)\/[\w./-]+\.ts|storage cases|^the same$/;

/** Rows of each table of a page, as cells. The second row is dashes. */
function tablesOf(page: string): readonly (readonly (readonly string[])[])[] {
  const tables = page.matchAll(/(?:^\|.*\|\n?)+/gm);
  return [...tables].map(([table]) =>
    table
      .trimEnd()
      .split('\n')
      .map((line) =>
        line
          .split(/(?<!\\)\|/)
          .slice(1, -1)
          .map((cell) => cell.trim()),
      ),
  );
}

interface Block {
  /** From the comment in front of it; null where there is none. */
  readonly label: string | null;
  readonly code: string;
  /** The `text` block behind it. */
  readonly output: string | null;
}

function blocksOf(page: string): readonly Block[] {
  const found = page.matchAll(/(?:<!-- run: (\w+) -->\n)?```ts\n([\s\S]*?)```(?:\n\n```text\n([\s\S]*?)```)?/g);
  return [...found].map(([, label, code = '', output]) => ({ label: label ?? null, code, output: output ?? null }));
}

const blocks = blocksOf(readme);

let folder: string;
const children: ChildProcess[] = [];

/** A project that has the package installed. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tasklane-readme-'));
  await mkdir(join(folder, 'node_modules'));
  await symlink(root, join(folder, 'node_modules', 'tasklane'));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
});

afterEach(async () => {
  for (const child of children.splice(0)) if (child.kill('SIGKILL')) await once(child, 'exit');
  await rm(folder, { recursive: true, force: true });
});

async function start(name: string, code: string, ...flags: readonly string[]): Promise<ChildProcess> {
  const file = join(folder, `${name}.ts`);
  await writeFile(file, code);
  const child = spawn(process.execPath, ['--conditions=tasklane-source', ...flags, file], { cwd: folder });
  children.push(child);
  return child;
}

/** Runs to the end. */
async function outputOf(child: ChildProcess): Promise<string> {
  let output = '';
  let complaint = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const [code] = await once(child, 'close');
  expect(code, complaint).toBe(0);
  return output;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Resolves when somebody listens. */
async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const open = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'close').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (open) return;
    await new Promise((tick) => setTimeout(tick, 20));
  }
}

describe('README', () => {
  test('the first program has at most 20 lines, and prints what the page says', async () => {
    const [first] = blocks;
    expect(first?.code.trimEnd().split('\n').length).toBeLessThanOrEqual(20);
    expect(await outputOf(await start('first', first?.code ?? ''))).toBe(first?.output);
  });

  test('the page shows the progress of a task on the server', async () => {
    const [server, page] = ['server', 'page'].map((label) => blocks.find((block) => block.label === label));
    const port = await freePort();
    const onPort = (code = ''): string => code.replaceAll('3000', String(port));
    await start('server', onPort(server?.code));
    await listening(port);
    // What browsers have; Node has it behind a flag.
    expect(await outputOf(await start('page', onPort(page?.code), '--experimental-eventsource'))).toBe(page?.output);
  });

  test('every code block is one of those', () => {
    expect(blocks.length).toBe(3);
  });

  test('every link to a file leads to one, and every promise links to a test that is there', async () => {
    const links = [...readme.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, target = '']) => target);
    for (const target of links) await access(join(root, target));
    const promises = readme.split('## What it promises')[1]?.split('\n## ')[0] ?? '';
    const numbered = promises.split('\n').filter((line) => /^\d\. /.test(line));
    expect(numbered.length).toBe(6);
    for (const promise of promises.split(/^\d\. /m).slice(1)) expect(promise).toMatch(/\]\(test\/[\w./-]+\.test\.ts\)/);
  });
});

describe.each(pages)('docs/%s', async (name) => {
  const page = await readFile(join(root, 'docs', name), 'utf8');

  test('its code prints what the page says', async () => {
    for (const { code, output } of TESTED_ELSEWHERE.includes(name) ? [] : blocksOf(page)) {
      expect(output, code).not.toBeNull();
      expect(await outputOf(await start('program', code))).toBe(output);
    }
  });

  test('its links lead somewhere', async () => {
    for (const [, target = ''] of page.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g))
      await access(join(root, 'docs', target));
  });

  test('the files that it names are there', async () => {
    for (const [, file = ''] of page.matchAll(NAMED)) await access(join(root, file));
  });

  test('each rule names its test', () => {
    for (const [head, ...rows] of tablesOf(page)) {
      const column = head?.findIndex((cell) => cell === 'test' || cell === 'proven by') ?? -1;
      if (column < 0) continue;
      for (const row of rows.slice(1)) expect(row[column], row[0]).toMatch(PROOF);
    }
  });
});

test('test/mutants.md > the files that it names are there', async () => {
  const page = await readFile(join(root, 'test/mutants.md'), 'utf8');
  const files = [...page.matchAll(NAMED)].map(([, file = '']) => file);
  expect(files.length).toBeGreaterThan(50);
  for (const file of files) await access(join(root, file));
});
