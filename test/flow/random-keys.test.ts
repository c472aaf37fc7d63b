import fc from 'fast-check';
import {
  defineTask,
  type FlowItem,
  MemoryStorage,
  OptionError,
  TaskManager,
  type TaskStorage,
  TransitionError,
} from 'tasklane';
import { SqliteStorage } from 'tasklane/sqlite';
import { fakeClock } from 'tasklane/testing';
import { describe, expect, test } from 'vitest';
import { turns } from '../support/gate.ts';

// Random flows of which one task may answer for several by its keys, and random restarts: nobody waits for ever.

interface Node {
  readonly throws: boolean;
  readonly parent: number | null;
  readonly dependsOn: readonly number[];
  readonly key: 'unique' | 'idempotency' | 'throttle' | null;
}
interface Plan {
  readonly nodes: readonly Node[];
  readonly restarts: readonly { readonly node: number; readonly after: number }[];
}

const PLAN: fc.Arbitrary<Plan> = fc.integer({ min: 2, max: 7 }).chain((size) => {
  const at = fc.nat({ max: size - 1 });
  const node = fc.record({
    throws: fc.boolean(),
    parent: fc.option(at, { nil: null, freq: 2 }),
    dependsOn: fc.uniqueArray(at, { maxLength: 2 }),
    key: fc.constantFrom<Node['key']>('unique', 'idempotency', 'throttle', null),
  });
  const nodes = fc.array(node, { minLength: size, maxLength: size });
  return fc.record({
    nodes: fc.oneof({ weight: 3, arbitrary: nodes.map(inOrder) }, nodes),
    restarts: fc.array(fc.record({ node: at, after: fc.nat({ max: 6 }) }), { maxLength: 4 }),
  });
});

/** Without dependencies that lead backwards: most plans that have any are circles, which are refused. */
function inOrder(nodes: readonly Node[]): readonly Node[] {
  return nodes.map((node, at) => ({ ...node, dependsOn: node.dependsOn.filter((to) => to > at) }));
}

function itemOf(nodes: readonly Node[], at: number): FlowItem {
  const { throws, dependsOn, key } = nodes[at] as Node;
  const children = nodes.flatMap(({ parent }, child) => (parent === at && child > at ? [itemOf(nodes, child)] : []));
  return {
    handler: 'node',
    input: throws,
    ref: `${at}`,
    dependsOn: dependsOn.map((to) => ({ id: `${to}`, onFailure: 'run' as const })),
    ...(key === 'unique' ? { unique: { key: 'k' } } : {}),
    ...(key === 'idempotency' ? { idempotencyKey: 'k' } : {}),
    ...(key === 'throttle' ? { throttle: { window: '1h' as const } } : {}),
    ...(children.length > 0 ? { children } : {}),
  };
}

/** @returns whether the flow was taken */
async function play({ nodes, restarts }: Plan, storage: TaskStorage): Promise<boolean> {
  const clock = fakeClock();
  const node = defineTask({
    name: 'node',
    run: (throws: boolean) => {
      if (throws) throw new Error('thrown');
    },
  });
  const manager = new TaskManager({ handlers: [node], storage, clock, concurrency: 2 });
  await manager.start();
  try {
    const tops = nodes.flatMap(({ parent }, at) => (parent === null || parent >= at ? [itemOf(nodes, at)] : []));
    await manager.submitMany(tops as never);
    const { items } = await manager.list({ sort: 'id' });
    for (const { node: at, after } of restarts) {
      await turns(after);
      const id = items[at % items.length]?.id ?? '';
      await manager.restart(id).catch((error: unknown) => {
        if (!(error instanceof TransitionError)) throw error; // it has not ended
      });
    }
    await manager.onIdle();
    const { byStatus } = await manager.stats();
    expect(byStatus).toMatchObject({ waiting: 0, scheduled: 0, queued: 0, running: 0 });
    return true;
  } catch (error) {
    if (!(error instanceof OptionError) && (error as { code?: unknown }).code !== 'idempotency_conflict') throw error;
    expect(await manager.count()).toBe(0);
    return false;
  } finally {
    await manager.close({ timeout: 0 });
  }
}

describe.each([
  ['memory', () => new MemoryStorage()],
  ['sqlite', () => new SqliteStorage(':memory:')],
] as const)('random flows with keys [%s]', (_name, open) => {
  test('are refused whole, or everything in them ends', async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(PLAN, async (plan) => {
        if (await play(plan, open())) taken++;
      }),
      { numRuns: 150 },
    );
    expect(taken).toBeGreaterThan(10);
  });
});
