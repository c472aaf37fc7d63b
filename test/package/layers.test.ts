import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const SRC = new URL('../../src/', import.meta.url).pathname;
/** `import … from './x.ts'` and `export … from`, not of types alone. */
const IMPORT = /^(?:import|export)\s+(?!type\b)([^;'"]*?)\s*from\s+'(\.[^']+)'/gm;
const TYPES_ONLY = /^\{(?:\s*type\s+[^,}]+,?)+\s*\}$/;

/** What each file loads of the others, by path below `src`. */
function loads(): ReadonlyMap<string, readonly string[]> {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return new Map(
    files.map((file) => {
      const found = [...readFileSync(join(SRC, file), 'utf8').matchAll(IMPORT)];
      const loaded = found.filter(([, names = '']) => !TYPES_ONLY.test(names));
      return [file, loaded.map(([, , path = '']) => join(dirname(file), path))];
    }),
  );
}

/** @returns one circle, as a path; null: there is none */
function circleIn(edges: ReadonlyMap<string, Iterable<string>>): readonly string[] | null {
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]): readonly string[] | null => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return null;
    for (const next of edges.get(node) ?? []) {
      const circle = visit(next, [...path, node]);
      if (circle !== null) return circle;
    }
    done.add(node);
    return null;
  };
  for (const node of edges.keys()) {
    const circle = visit(node, []);
    if (circle !== null) return circle;
  }
  return null;
}

test('no file loads itself through others', () => {
  expect(loads().size).toBeGreaterThan(100);
  expect(circleIn(loads())).toBeNull();
});

test('the folders of src load each other in one direction; what lies beside them serves all', () => {
  const folders = new Map<string, Set<string>>();
  for (const [file, loaded] of loads()) {
    const [from = ''] = file.split('/');
    for (const path of loaded) {
      const [to = ''] = path.split('/');
      if (!file.includes('/') || !path.includes('/') || from === to) continue;
      folders.set(from, (folders.get(from) ?? new Set()).add(to));
    }
  }
  expect(folders.size).toBeGreaterThan(8);
  expect(circleIn(folders)).toBeNull();
});
