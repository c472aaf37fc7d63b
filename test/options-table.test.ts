import { readFile } from 'node:fs/promises';
import { defineTask, MemoryStorage, TaskManager } from 'tasklane';
import { createHandler } from 'tasklane/http';
import { describe, expect, test } from 'vitest';
import { OPTIONS, parseOptions, type Settings } from '../src/options.ts';
import { SORT_KEYS } from '../src/task/query.ts';
import { parseDuration } from '../src/time/duration.ts';

const page = await readFile(new URL('../docs/tasks.md', import.meta.url), 'utf8');
const rows = new Map(
  [...(page.split('## Options of `TaskManager`')[1] ?? '').matchAll(/^\| `(\w+)` \| (.+?) \| /gm)].map(
    ([, name = '', value = '']) => [name, value.replaceAll('`', '')] as const,
  ),
);

/** A default as the page writes it: `'30s'`, `1,000`, `Infinity`, `{ lines: 1000 }`. */
function written(option: string): unknown {
  const text = rows.get(option) ?? '';
  const duration = /^'(\d+\w+)'$/.exec(text);
  if (duration !== null) return parseDuration(option, duration[1]);
  if (text === 'Infinity') return Number.POSITIVE_INFINITY;
  return /^[\d,]+$/.test(text) ? Number(text.replaceAll(',', '')) : text.replaceAll("'", '');
}

test('the table has every option of the type, and no other', () => {
  expect([...rows.keys()].sort()).toEqual([...OPTIONS].sort());
});

const DEFAULTS: readonly (readonly [option: string, setting: keyof Settings])[] = [
  ['concurrency', 'concurrency'],
  ['lease', 'leaseMs'],
  ['sweep', 'sweepMs'],
  ['cancelGrace', 'cancelGraceMs'],
  ['maxLost', 'maxLost'],
  ['maxSnoozes', 'maxSnoozes'],
  ['progressInterval', 'progressMs'],
  ['maxInputBytes', 'maxInputBytes'],
  ['maxResultBytes', 'maxResultBytes'],
  ['maxQueued', 'maxQueued'],
  ['idempotencyTtl', 'idempotencyMs'],
  ['idPrefix', 'idPrefix'],
];

test.each(DEFAULTS)('%s has the default that the table says', (option, setting) => {
  expect(written(option)).toBe(parseOptions()[setting]);
});

test('the defaults of several parts are those of the table', () => {
  const { logLimit, retention, maxLeaks, storage, inline } = parseOptions();
  expect(written('logLimit')).toBe(`{ lines: ${logLimit.lines}, bytes: ${logLimit.bytes} }`);
  expect(written('retention')).toBe(`{ age: 90d, count: ${retention.count} }`);
  expect(Object.values(retention.ageMs)).toEqual([1, 2, 3].map(() => parseDuration('age', '90d')));
  expect(written('maxLeaks')).toBe('concurrency');
  expect(maxLeaks).toBeNull();
  expect(storage).toBeInstanceOf(MemoryStorage);
  expect(written('inline')).toBe(String(inline));
});

describe('the tables of what else takes options', () => {
  const manager = new TaskManager({ handlers: [defineTask({ name: 'work' })] });
  const wrong: object = { nothing: 1 };

  /** What its error says that it takes. */
  async function taken(call: () => unknown): Promise<readonly string[]> {
    const error = await Promise.resolve()
      .then(call)
      .catch((reason: unknown) => reason);
    const [, keys = ''] = /must be made of (.+), but has "nothing"/.exec(String(error)) ?? [];
    return keys.split(', ');
  }

  /** What stands as code in the first column of the table that begins so. */
  async function told(name: string, head: string): Promise<readonly string[]> {
    const text = await readFile(new URL(`../docs/${name}`, import.meta.url), 'utf8');
    const [, table = ''] = text.split(`\n${head}`);
    const rows = [...(table.split('\n\n')[0] ?? '').matchAll(/^\| (`.+?) \|/gm)];
    return rows.flatMap(([, cell = '']) => [...cell.matchAll(/`(\w+)/g)].map(([, key = '']) => key));
  }

  const same = (one: readonly string[], other: readonly string[]): void =>
    expect([...new Set(one)].sort()).toEqual([...other].sort());

  test('a definition', async () => {
    const keys = await taken(() => defineTask({ name: 'work', ...wrong }));
    same(await told('tasks.md', '## What a definition may say\n\n'), keys);
  });

  test('a submit', async () => {
    const keys = await taken(() => manager.submit('work', null, wrong));
    same(await told('tasks.md', '## What `submit` may say\n\n'), keys);
  });

  test('an item of a flow: what a submit takes, and its own', async () => {
    const all = await taken(() => manager.submitMany([{ handler: 'work', ...wrong }]));
    const ofSubmit = await taken(() => manager.submit('work', null, wrong));
    const rows = await told('flows.md', '## What an item may say\n\n');
    for (const key of rows) expect(all).toContain(key);
    const own = all.filter((key) => !ofSubmit.includes(key) && !['handler', 'input'].includes(key));
    for (const key of own) expect(rows).toContain(key);
  });

  test('a schedule', async () => {
    const keys = await taken(() => manager.schedules.create({ key: 'k', handler: 'work', every: '1h', ...wrong }));
    same(await told('schedules.md', '| of a spec |'), keys);
  });

  test('a filter, and a list', async () => {
    const filters = await taken(() => manager.list({ filter: wrong }));
    same(await told('manager.md', '| key of a filter |'), [...filters]);
    same(await told('manager.md', '| key of a list |'), await taken(() => manager.list(wrong)));
    const sorts = /^\| `sort` .+$/m.exec(await readFile(new URL('../docs/manager.md', import.meta.url), 'utf8'))?.[0];
    for (const key of SORT_KEYS) expect(sorts).toContain(`\`${key}\``);
  });

  test('the limits of a handler over HTTP', async () => {
    same(await told('http.md', '| `limits` |'), await taken(() => createHandler(manager, { limits: wrong })));
  });
});
