import { QueueFullError, StorageFullError, TasklaneError, UniqueConflictError } from 'tasklane';
import { svix, taskV2, waylay } from 'tasklane/dialects';
import type { HandlerOptions } from 'tasklane/http';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { DIALECTS } from './all.ts';
import { DialectWorld } from './world.ts';

// Errors that no exchange of the tables comes to: what the app's own code throws, a rate, a server that cannot.

let world: DialectWorld | null = null;
afterEach(async () => {
  await world?.close();
  world = null;
  vi.restoreAllMocks();
});

/** What the app throws, the status that it is answered with, and the word that Svix has for it. */
const THROWN: readonly (readonly [status: number, word: string, make: () => Error])[] = [
  [401, 'authentication_failed', () => new TasklaneError('unauthenticated', 'Your token has expired.')],
  [403, 'insufficient access', () => new TasklaneError('forbidden', 'Your account is closed.')],
  [409, 'conflict', () => new UniqueConflictError('k', 'task_1')],
  [413, 'payload_too_large', () => new TasklaneError('payload_too_large', 'That is too much.')],
  [415, 'unsupported_media_type', () => new TasklaneError('unsupported_media_type', 'Send JSON.')],
  [429, 'rate_limit_exceeded', () => new TasklaneError('rate_limited', 'Slower, please.')],
  [500, 'server_error', () => new TypeError('the secret is 42')],
  [503, 'server_error', () => new QueueFullError(7)],
  [503, 'server_error', () => new StorageFullError('tasks.db', { ambiguous: false, retryable: true })],
];

describe.each(DIALECTS)('$name > what `authenticate` throws is told in its own form', (facts) => {
  test.each(THROWN)('%i, %s', async (status, word, make) => {
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const authenticate: HandlerOptions['authenticate'] = () => {
      throw make();
    };
    world = await DialectWorld.open([facts.make()], { authenticate });
    const { path } = facts.operations.find(({ method }) => method === 'GET') ?? { path: '' };
    const response = await world.ask(path.replace('{id}', 'task-1'));
    const text = await response.text();
    expect([response.status, response.headers.get('content-type')]).toEqual([status, facts.errorType]);
    expect(facts.isError(JSON.parse(text), status), text).toBe(true);
    expect(text).not.toMatch(/secret|tasks\.db/);
    if (facts.name === 'svix') expect(JSON.parse(text)).toMatchObject({ code: word });
    expect(response.headers.has('retry-after')).toBe(status === 503);
  });
});

describe('limits.submits', () => {
  const specification = { template: 'reindex', name: 'Reindex', type: 'onetime' };
  test.each([
    ['taskV2', '/v2/task/create', { handler: 'reindex' }],
    ['waylay', '/rules/v1/tasks', specification],
    ['waylay', '/api/tasks', { ...specification, type: 'periodic', frequency: 3_600_000 }],
  ])(
    '%s > %s %j: 429 in its own form, with Retry-After; one count, whichever API it comes by',
    async (name, path, body) => {
      const dialects = [svix(), taskV2(), waylay()];
      world = await DialectWorld.open(dialects, { limits: { submits: { count: 2, per: '1m' } } });
      const submit = (to: string, what: object) => {
        const headers = { 'content-type': 'application/json' };
        return (world as DialectWorld).ask(to, { method: 'POST', headers, body: JSON.stringify(what) });
      };
      expect((await submit(path, body)).status).toBe(201);
      expect((await submit('/tasks', { handler: 'reindex' })).status).toBe(202);
      const refused = await submit(path, body);
      expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([429, true]);
      expect(DIALECTS.find((one) => one.name === name)?.isError(await refused.json(), 429)).toBe(true);
      expect((await world.ask('/api/v1/background-task')).status).toBe(200); // what is read counts for nothing
    },
  );
});
