import { access, readFile } from 'node:fs/promises';
import { backgroundTask, jira, svix, taskV2, waylay } from 'tasklane/dialects';
import { describe, expect, test } from 'vitest';
import { DIALECTS } from './all.ts';

const page = await readFile('docs/dialects.md', 'utf8');
const readme = await readFile('README.md', 'utf8');

/** The part of the page about a dialect. */
const partOf = (name: string): string => page.split(`\`${name}(options)\``)[1]?.split('\n## ')[0] ?? '';

/** A route as documents write it: whatever the segment is called, at one of its paths, with an id given in one of the ways. */
const plain = (text: string): string =>
  text
    .replace(/\{\w+\}/g, '{id}')
    .replace(/\?id=\{id\}$/, '/{id}')
    .replace(' /api/tasks', ' /rules/v1/tasks');

const withoutSlash = (text: string): string => plain(text).replace(/\/$/, '');
/** `?id=` instead of a segment: the same operation at another path. */
const isNoAlias = (route: string): boolean => !/\?id=|\/api\/(tasks|batch)/.test(route);

/** The cells of the README's rows about a dialect: its name stands in the first one only. */
function readmeRowsOf(name: string): readonly (readonly string[])[] {
  const rows = readme
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const first = rows.findIndex(([api = '']) => api.includes(`\`${name}()\``));
  const next = rows.findIndex(([api], at) => at > first && api !== '');
  return rows.slice(first, next === -1 ? undefined : next);
}

describe.each(DIALECTS)('$name', ({ name, operations }) => {
  test('docs/dialects.md names every operation, and none that there is not', () => {
    const named = [...partOf(name).matchAll(/^\| `((?:GET|HEAD|POST|PUT|DELETE) \/[^`]*)`/gm)].map(
      ([, one = '']) => one,
    );
    const routes = operations.map(({ method, path }) => `${method} ${path}`);
    expect([...new Set(named.map(plain))].sort()).toEqual([...new Set(routes.map(plain))].sort());
  });

  test('and links to the table, its test and an example', async () => {
    const links = [...new Set([...partOf(name).matchAll(/\]\(\.\.\/(test\/[^)]+)\)/g)].map(([, path = '']) => path))];
    expect(links.filter((path) => path.endsWith('.table.ts'))).toHaveLength(1);
    expect(links.filter((path) => path.endsWith('.contract.test.ts'))).toHaveLength(1);
    for (const path of links) await access(path);
    expect(partOf(name)).toMatch(/`npm run\s+example [a-z0-9-]+`/);
  });

  test('the README has a row for every operation, with what it maps to, and links to tests', async () => {
    const rows = readmeRowsOf(name);
    const named = rows.flatMap(([, operation = '']) =>
      [...operation.matchAll(/`((?:GET|HEAD|POST|PUT|DELETE) \/[^`]*)`/g)].map(([, one = '']) => one),
    );
    const routes = operations.map(({ method, path }) => `${method} ${path}`);
    expect(new Set(named.map(withoutSlash))).toEqual(new Set(routes.filter(isNoAlias).map(plain).map(withoutSlash)));
    for (const [, , mapsTo, proof = ''] of rows) {
      expect(mapsTo).not.toBe('');
      const links = [...proof.matchAll(/\]\((test\/[^)]+)\)/g)].map(([, path = '']) => path);
      expect(links[0]).toMatch(/\.contract\.test\.ts$/);
      for (const path of links) await access(path);
    }
  });
});

/** What all of them take. */
const COMMON: readonly string[] = ['basePath', 'origin', 'show', 'refuse'];

/** A dialect tells in its error what it takes. */
function optionsOf(make: (options: object) => unknown): readonly string[] {
  try {
    make({ nothing: 1 });
  } catch (error) {
    const [, list = ''] = /made of (.+), but has/.exec((error as Error).message) ?? [];
    return list.split(', ').filter((option) => !COMMON.includes(option));
  }
  throw new Error('It takes anything.');
}

test.each([
  ['jira', jira],
  ['backgroundTask', backgroundTask],
  ['svix', svix],
  ['taskV2', taskV2],
  ['waylay', waylay],
])('docs/dialects.md tells of every option of %s', (name, make) => {
  const options = optionsOf(make);
  expect(options.length).toBeGreaterThan(0);
  for (const option of options) expect(partOf(name), option).toMatch(new RegExp(`\`${option}\\b`));
  for (const option of COMMON) expect(page).toMatch(new RegExp(`\`${option}\\b`));
});
