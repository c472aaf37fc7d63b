import { readFile } from 'node:fs/promises';
import { defineTask, ERROR_STATUS, type HttpErrorCode, TaskManager } from 'tasklane';
import { expect, test } from 'vitest';
import { HTTP_CODES } from './support/http-codes.ts';

const page = await readFile(new URL('../docs/manager.md', import.meta.url), 'utf8');
const [, about = ''] = page.split('## Methods');
const [methods = '', errors = ''] = about.split('## Errors');
const [calls = '', rest = ''] = methods.split('`submit` gives a handle');
const [record = ''] = rest.split('## To find tasks');

/** What stands as code in the first column of a table. */
const firsts = (part: string): readonly string[] =>
  [...part.matchAll(/^\| (`.+?) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`(\w+)/g)].map(([, name = '']) => name),
  );

test('the methods are those of the class', () => {
  const own = Object.getOwnPropertyNames(TaskManager.prototype).filter((name) => name !== 'constructor');
  const told = new Set(firsts(calls));
  expect([...told].sort()).toEqual([...own.filter((name) => name !== 'maxInputBytes'), 'schedules'].sort());
});

test('the keys of a record are those of one', async () => {
  const manager = new TaskManager({ handlers: [defineTask({ name: 'work' })] });
  const { id } = await manager.submit('work');
  const task = await manager.get(id);
  expect([...firsts(record)].sort()).toEqual(Object.keys(task ?? {}).sort());
  await manager.close();
});

test('the errors have the status that they have over HTTP', () => {
  const rows = [...errors.matchAll(/^\| (`.+?`) \| .+? \| (\d*) ?\|/gm)];
  const told = rows.flatMap(([, codes = '', status = '']) =>
    codes.split(', ').map((code) => [code.replaceAll('`', ''), status === '' ? null : Number(status)]),
  );
  const known = Object.entries(ERROR_STATUS).filter(([code]) => !HTTP_CODES.includes(code as HttpErrorCode));
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(known));
});
