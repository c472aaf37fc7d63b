import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runScript } from '../support/script.ts';

/** What a process loads for `import name`, and for what it does then: packages, node's own modules, and files of this project. */
async function loadedBy(name: string, use = '') {
  const code = `
    import { registerHooks } from 'node:module';
    const urls = [];
    registerHooks({
      load(url, context, next) {
        urls.push(url);
        return next(url, context);
      },
    });
    await import(${JSON.stringify(name)});
    ${use}
    for (const url of urls) console.log(url);
  `;
  const { code: exit, lines, errors } = await runScript(code).ended;
  expect(exit, errors).toBe(0);
  const matches = (form: RegExp) =>
    new Set(lines.map((url) => form.exec(url)?.[1]).filter((found) => found !== undefined));
  return {
    packages: matches(/.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//),
    builtins: matches(/^node:(.+)$/),
    files: matches(/^file:(?!.*node_modules).*\/src\/(.+)$/),
  };
}

/** A package and all it depends on. */
function withDependencies(name: string): readonly string[] {
  const manifest = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  const { dependencies = {} } = JSON.parse(readFileSync(manifest, 'utf8')) as { dependencies?: object };
  return [name, ...Object.keys(dependencies).flatMap(withDependencies)];
}

const CORE = new Set(['eventemitter3', 'p-queue', 'nanoid'].flatMap(withDependencies));

test("import 'tasklane' loads eventemitter3, p-queue and nanoid, and nothing else", async () => {
  const { packages, builtins, files } = await loadedBy('tasklane');
  expect(packages).toEqual(CORE);
  expect([...builtins].filter((name) => !['crypto', 'fs', 'os', 'process'].includes(name))).toEqual([]);
  const folders = new Set(
    [...files].map((file) => (file.includes('/') ? file.split('/').slice(0, -1).join('/') : '.')),
  );
  expect(folders).toEqual(
    new Set([
      '.',
      'task',
      'event',
      'handler',
      'run',
      'schedule',
      'submit',
      'watch',
      'time',
      'engine',
      'flow',
      'storage/memory',
    ]),
  );
});

test('the parsers of schedules are loaded by the first schedule that needs them', async () => {
  const loaded = async (rule: string) => {
    const use = `const { TaskManager } = await import('tasklane'); await new TaskManager().schedules.preview(${rule});`;
    return [...(await loadedBy('tasklane', use)).packages].filter((name) => !CORE.has(name));
  };
  expect(await loaded("{ every: '1m' }")).toEqual([]);
  expect(await loaded("{ cron: '@daily' }")).toEqual(['croner']);
  expect(await loaded("{ rrule: 'FREQ=DAILY' }")).toEqual(['rrule-temporal']);
});

test("import 'tasklane/sqlite' loads node:sqlite, and no package at all", async () => {
  const { packages, builtins, files } = await loadedBy('tasklane/sqlite');
  expect(packages).toEqual(new Set());
  expect(builtins).toContain('sqlite');
  expect(files).not.toContain('manager.ts');
});

test("import 'tasklane/testing' loads no package, and no test runner", async () => {
  const { packages, builtins } = await loadedBy('tasklane/testing');
  expect([...packages].filter((name) => !CORE.has(name))).toEqual([]);
  expect(builtins).toContain('assert');
  expect(builtins).not.toContain('test');
});

test('what is internal cannot be imported', async () => {
  const code = `
    try {
      await import('tasklane/src/manager.ts');
      console.log('imported');
    } catch ({ code }) {
      console.log(code);
    }
  `;
  expect((await runScript(code).ended).lines).toEqual(['ERR_PACKAGE_PATH_NOT_EXPORTED']);
});
