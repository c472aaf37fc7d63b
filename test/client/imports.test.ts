import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

/** The modules that an entry loads at run time: files of ours with what they say, and packages by name. */
async function graphOf(entry: string): Promise<{ files: Map<string, string>; packages: Set<string> }> {
  const [files, packages] = [new Map<string, string>(), new Set<string>()];
  const visit = async (file: string): Promise<void> => {
    if (files.has(file)) return;
    const code = stripTypeScriptTypes(await readFile(file, 'utf8'));
    files.set(file, code);
    for (const [, name = ''] of code.matchAll(/(?:from|import)\s+'([^']+)'/g)) {
      if (name.startsWith('.')) await visit(resolve(dirname(file), name));
      else packages.add(name);
    }
  };
  await visit(resolve(entry));
  return { files, packages };
}

test('the client loads nothing of the server, and needs nothing of Node', async () => {
  const { files, packages } = await graphOf('src/client/index.ts');
  expect([...packages]).toEqual(['eventsource-parser']);
  const outside = [...files.keys()]
    .map((file) => relative(resolve('src'), file))
    .filter((file) => !file.startsWith('client'));
  expect(outside.sort()).toEqual([
    'errors.ts',
    'show.ts',
    join('task', 'json.ts'),
    join('task', 'status.ts'),
    join('time', 'duration.ts'),
  ]);
  for (const [file, code] of files) {
    if (!file.includes('client')) continue;
    expect(code.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, ''), file).not.toMatch(/\b(process|Buffer|require|node:)\b/);
  }
});
