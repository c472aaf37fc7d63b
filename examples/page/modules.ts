// Serves the client to the browser as it lies on the disk: what a bundler or a CDN does for a real page.
import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';

const client = new URL(import.meta.resolve('tasklane/client'));
const folders: Readonly<Record<string, URL>> = {
  tasklane: new URL('.', import.meta.resolve('tasklane')),
  'eventsource-parser': new URL('.', import.meta.resolve('eventsource-parser')),
};

/** For the head of the page. */
export const importMap = JSON.stringify({
  imports: {
    'tasklane/client': `/modules/tasklane/${client.href.slice(folders.tasklane?.href.length)}`,
    'eventsource-parser': '/modules/eventsource-parser/index.js',
  },
});

/** `GET /modules/<package>/<file>`; null where there is none. */
export async function moduleAt(path: string): Promise<string | null> {
  const [, name = '', file = ''] = /^\/modules\/([^/]+)\/(.+)$/.exec(path) ?? [];
  const folder = Object.hasOwn(folders, name) ? folders[name] : undefined;
  if (folder === undefined) return null;
  const url = new URL(file, folder);
  if (!url.href.startsWith(folder.href)) return null;
  const code = await readFile(url, 'utf8').catch(() => null);
  return code !== null && url.pathname.endsWith('.ts') ? stripTypeScriptTypes(code) : code; // straight from the sources
}
