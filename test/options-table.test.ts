import { readFile } from 'node:fs/promises';
import { MemoryStorage } from 'tasklane';
import { expect, test } from 'vitest';
import { OPTIONS, parseOptions, type Settings } from '../src/options.ts';
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
