import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** The packages that an import loads, in a process of its own. */
async function packagesOf(name: string): Promise<readonly string[]> {
  const program = `
    import { registerHooks } from 'node:module';
    const urls = [];
    registerHooks({ resolve: (specifier, context, next) => {
      const found = next(specifier, context);
      urls.push(found.url);
      return found;
    } });
    await import('${name}');
    console.log(JSON.stringify(urls));
  `;
  const flags = ['--conditions=tasklane-source', '--no-warnings', '--input-type=module', '-e', program];
  const { stdout } = await promisify(execFile)(process.execPath, flags);
  const packages = (JSON.parse(stdout) as string[]).flatMap((url) => {
    const [, found] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url) ?? [];
    return found === undefined ? [] : [found];
  });
  return [...new Set(packages)].sort();
}

test("import 'tasklane' loads nothing of the HTTP surface", async () => {
  expect(await packagesOf('tasklane')).toEqual(['eventemitter3', 'nanoid', 'p-queue']);
});

test("import 'tasklane/http' loads what the other imports do not", async () => {
  const loaded = await packagesOf('tasklane/http');
  expect(loaded).toEqual(
    expect.arrayContaining(['h3', 'srvx', 'rou3', 'zod', 'rate-limiter-flexible', 'structured-headers']),
  );
});

test("import 'tasklane/dialects' loads nothing that 'tasklane' and 'tasklane/http' do not: no framework, and no third-party client", async () => {
  const known = [...(await packagesOf('tasklane')), ...(await packagesOf('tasklane/http'))];
  expect((await packagesOf('tasklane/dialects')).filter((name) => !known.includes(name))).toEqual([]);
});
