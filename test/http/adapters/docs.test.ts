import { glob, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

test('docs/frameworks.md > its code is that of the examples', async () => {
  const files: string[] = [];
  for await (const path of glob(['examples/frameworks/*.ts', 'examples/next/*.js', 'examples/next/app/**/route.js'])) {
    files.push(await readFile(path, 'utf8'));
  }
  const page = await readFile('docs/frameworks.md', 'utf8');
  const blocks = [...page.matchAll(/```[jt]s\n([\s\S]*?)```/g)].map(([, code = '']) => code);
  expect(blocks.length).toBe(9);
  for (const code of blocks)
    expect(
      files.some((file) => file.includes(code)),
      code,
    ).toBe(true);
});
