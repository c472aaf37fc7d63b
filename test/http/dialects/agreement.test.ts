import fc from 'fast-check';
import { createHandler } from 'tasklane/http';
import { afterEach, describe, expect, test } from 'vitest';
import { FRAMEWORKS, type Mounted } from '../adapters/mounts.ts';
import { addressOf } from '../adapters/support.ts';
import { expectAgreement } from './agreement.ts';
import { DIALECTS } from './all.ts';
import { DialectWorld, STATES } from './world.ts';

/** What can happen to tasks. `which` picks one; what its status refuses happens to nobody. */
const STEPS = [
  'submit',
  'submit held',
  'submit scheduled',
  'submit behind another',
  'progress',
  'message',
  'finish',
  'fail',
  'lose',
  'cancel',
  'restart',
  'run now',
  'complete',
  'fail from outside',
  'pause',
  'resume',
  'time',
] as const;
type Step = (typeof STEPS)[number];

const ON_FAILURE = ['fail', 'skip', 'run'] as const;

/** Through which the tasks are looked at. On a socket each look costs more. */
const WAYS = [
  { way: 'the handler itself', numRuns: 60, maxLength: 30 },
  ...['node:http', 'Express', 'Koa', 'Fastify', 'Hono'].map((way) => ({ way, numRuns: 6, maxLength: 16 })),
];

const open = () => DialectWorld.open(DIALECTS.map(({ make }) => make()));

let world: DialectWorld | null = null;
let mounted: Mounted | null = null;
afterEach(async () => {
  await mounted?.close();
  mounted = null;
  await world?.close();
  world = null;
});

async function take(current: DialectWorld, ids: string[], step: Step, which: number): Promise<void> {
  const { manager, clock, reindex } = current;
  const id = ids[which % Math.max(1, ids.length)] ?? '';
  const run = reindex.runs.findLast(({ context }) => context.task.id === id);
  const submit = async (options: object): Promise<void> => {
    ids.push((await manager.submit('reindex', null, { submittedBy: 'owner', ...options })).id);
  };
  const refused = (): void => {};
  if (step === 'submit') await submit({});
  if (step === 'submit held') await submit({ hold: true });
  if (step === 'submit scheduled') await submit({ delay: '10s' });
  if (step === 'submit behind another') {
    const onFailure = ON_FAILURE[which % ON_FAILURE.length] ?? 'fail';
    await submit({ dependsOn: [{ id, onFailure }] });
  }
  if (step === 'progress') run?.context.progress({ processed: which % 8, total: 7 });
  if (step === 'message') run?.context.progress({ fraction: (which % 101) / 100, message: `at ${which}` });
  if (step === 'finish') run?.finish({ files: which });
  if (step === 'fail') run?.fail(new Error('no folder docs'));
  if (step === 'lose') await manager.fail(id, Object.assign(new Error('gone'), { code: 'lost' })).catch(refused);
  if (step === 'cancel') await manager.cancel(id, 'no longer needed').catch(refused);
  if (step === 'restart') await manager.restart(id).catch(refused);
  if (step === 'run now') await manager.runNow(id).catch(refused);
  if (step === 'complete') await manager.complete(id, { files: which }).catch(refused);
  if (step === 'fail from outside') await manager.fail(id, new Error('outside')).catch(refused);
  if (step === 'pause') await manager.pause();
  if (step === 'resume') await manager.resume();
  await clock.advance(step === 'time' ? '15s' : '137ms');
}

describe('our own API and every dialect agree', () => {
  test.each(WAYS)('whatever happens to tasks, through $way', { timeout: 120_000 }, async ({ way, ...bounds }) => {
    const statuses = new Set<string>();
    const step = fc.record({ step: fc.constantFrom(...STEPS), which: fc.nat(1_000) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: bounds.maxLength }), async (steps) => {
        const current = await open();
        const framework = FRAMEWORKS.find(({ name }) => name === way);
        const app = await framework?.open(current.handler, { prefix: '' });
        try {
          const ids = [(await current.seed('waiting')).id];
          const get = async (path: string): Promise<unknown> => {
            if (app === undefined) return (await current.ask(path)).json();
            return (await fetch(addressOf(app.server) + path, { headers: { authorization: 'Bearer owner' } })).json();
          };
          for (const { step, which } of steps) {
            await take(current, ids, step, which);
            for (const id of ids) {
              const task = await current.manager.get(id);
              if (task === null) throw new Error(`Task ${id} has gone.`);
              statuses.add(task.status);
              await expectAgreement(get, task);
            }
          }
        } finally {
          await app?.close();
          await current.close();
        }
      }),
      { numRuns: bounds.numRuns },
    );
    if (bounds.numRuns < 60) expect(statuses).toContain('waiting');
    else expect(statuses.size, [...statuses].join()).toBe(8);
  });

  const through = FRAMEWORKS.filter(({ name }) => ['node:http', 'Express', 'Koa', 'Fastify', 'Hono'].includes(name));
  for (const framework of through) {
    test.each(['', '/api'] as const)(`through ${framework.name}, at "%s"`, async (prefix) => {
      world = await open();
      const tasks = [];
      for (const state of STATES) tasks.push((await world.seed(state)).id);
      const handler = createHandler(world.manager, { dialects: DIALECTS.map(({ make }) => make()) });
      mounted = await framework.open(handler, { prefix });
      const origin = addressOf(mounted.server);
      const get = async (path: string): Promise<unknown> => (await fetch(origin + prefix + path)).json();
      for (const id of tasks) {
        const task = await world.manager.get(id);
        if (task !== null) await expectAgreement(get, task);
        for (const { self, idOf } of DIALECTS) {
          if (self === undefined || task === null) continue;
          const [path, key] = self(idOf(task));
          const answered = (await get(path)) as Record<string, unknown>;
          expect(answered[key]).toBe(origin + prefix + path);
        }
      }
      // what nobody knows below a dialect's path is the dialect's to answer, here too
      for (const { lost, isError, errorType } of DIALECTS) {
        const response = await fetch(origin + prefix + lost);
        expect([response.status, response.headers.get('content-type')]).toEqual([404, errorType]);
        expect(isError(await response.json(), 404)).toBe(true);
      }
    });
  }
});
