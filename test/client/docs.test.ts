import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { addressOf } from '../http/adapters/support.ts';

test('docs/client.md > its code runs, and prints what it says', async () => {
  const text = (await readFile('docs/client.md', 'utf8')).replaceAll('3000', await freePort());
  const blocks = (language: string): string[] => {
    return [...text.matchAll(/```(\w+)\n([\s\S]*?)```/g)].flatMap(([, of, code = '']) =>
      of === language ? [code] : [],
    );
  };
  const [server = '', ...client] = blocks('ts');
  const folder = await mkdtemp(join(tmpdir(), 'tasklane-docs-'));
  try {
    await mkdir(join(folder, 'node_modules'));
    await symlink(resolve('.'), join(folder, 'node_modules', 'tasklane'));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    await writeFile(join(folder, 'server.ts'), server);
    await writeFile(join(folder, 'client.ts'), client.join('\n'));
    // the server would go on for ever, and runs in the same process so that nobody needs to wait for it
    await writeFile(
      join(folder, 'main.ts'),
      "await import('./server.ts');\nawait import('./client.ts');\nprocess.exit(0);\n",
    );
    const program = ['--conditions=tasklane-source', join(folder, 'main.ts')];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, program);
    expect(stderr).toBe('');
    expect(stdout).toBe(blocks('text').join(''));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

async function freePort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const port = new URL(addressOf(server)).port;
  await new Promise((done) => server.close(done));
  return port;
}
