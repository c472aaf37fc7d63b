// Runs `TaskClient` where there is what the web has, and nothing of Node: `node --experimental-vm-modules edge.mjs <url>`
import { readFile } from 'node:fs/promises';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createContext, SourceTextModule } from 'node:vm';

const WEB =
  'fetch Headers Request Response URL URLSearchParams AbortController AbortSignal DOMException Event EventTarget ' +
  'ReadableStream TransformStream TextDecoder TextEncoder TextDecoderStream crypto setTimeout clearTimeout queueMicrotask ' +
  'structuredClone';
const said = [];
const web = Object.fromEntries(WEB.split(' ').map((name) => [name, globalThis[name]]));
const context = createContext({ ...web, baseUrl: process.argv[2], say: (text) => said.push(text) });

const modules = new Map();
async function load(url) {
  if (url.startsWith('node:')) throw new Error(`the client imports ${url}`);
  let source = await readFile(fileURLToPath(url), 'utf8');
  if (url.endsWith('.ts')) source = stripTypeScriptTypes(source);
  return new SourceTextModule(source, { context, identifier: url });
}
function link(specifier, { identifier }) {
  const url = specifier.startsWith('.')
    ? new URL(specifier, identifier).href
    : specifier.startsWith('node:')
      ? specifier
      : import.meta.resolve(specifier, pathToFileURL(createRequire(import.meta.url).resolve('../../package.json')));
  if (!modules.has(url)) modules.set(url, load(url));
  return modules.get(url);
}

const main = new SourceTextModule(
  `import { TaskClient } from ${JSON.stringify(new URL('../../src/client/index.ts', import.meta.url).href)};
  if (typeof process !== 'undefined' || typeof Buffer !== 'undefined') throw new Error('this is Node');
  const client = new TaskClient({ baseUrl });
  const task = await client.submit('greet', { name: 'Ada' });
  for await (const news of client.events(task.id)) say(news.type + ' ' + news.task?.status);
  say((await client.wait(task.id)).result);
  for await (const one of client.list({ filter: { handler: 'greet' } })) say(one.id === task.id);
  say((await client.submit('nothing').catch((error) => error)).code);`,
  { context, identifier: import.meta.url },
);
await main.link((specifier, from) => (specifier.startsWith('file:') ? load(specifier) : link(specifier, from)));
await main.evaluate();
console.log(JSON.stringify(said));
