import { readFile } from 'node:fs/promises';
import { TaskManager } from 'tasklane';
import { expect, test } from 'vitest';
import { operationsOf } from './rights-world.ts';

test('docs/http.md names every route, and none that there is not', async () => {
  const page = await readFile('docs/http.md', 'utf8');
  const [, table = ''] = page.split('## Routes\n');
  const named = [
    ...table
      .split('\n## ', 1)
      .join('')
      .matchAll(/`((?:GET|POST|PUT|PATCH|DELETE) \/[^`?]*)/g),
  ];
  const routes = operationsOf(new TaskManager()).map(({ method, path }) => `${method} ${path}`);
  expect([...new Set(named.map(([, route]) => route))].sort()).toEqual(routes.sort());
});
