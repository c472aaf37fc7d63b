import fc from 'fast-check';
import {
  defineTask,
  type FlowItem,
  MemoryStorage,
  type OnFailure,
  TaskManager,
  TaskNotFoundError,
  type TaskRecord,
  type TaskStorage,
  TransitionError,
} from 'tasklane';
import { SqliteStorage } from 'tasklane/sqlite';
import { type FakeClock, fakeClock } from 'tasklane/testing';
import { describe, expect, test } from 'vitest';
import { turns } from '../support/gate.ts';

// Random flows, random ends, and random trouble on the way. What must hold is asked of the storage, whatever happened.

type End = 'succeeds' | 'throws' | 'hangs';
type Trouble = { readonly kind: 'cancel' | 'delete' | 'lose'; readonly node: number; readonly after: number };
interface Plan {
  readonly ends: readonly End[];
  /** By node: its parent, which has a smaller number; null: it has none. */
  readonly parents: readonly (number | null)[];
  /** From a node to one with a larger number, so there is no circle. */
  readonly edges: readonly { readonly from: number; readonly to: number; readonly onFailure: OnFailure }[];
  readonly onFailure: readonly OnFailure[];
  readonly troubles: readonly Trouble[];
}

const POLICY = fc.constantFrom<OnFailure>('fail', 'skip', 'run');
const PLAN: fc.Arbitrary<Plan> = fc.integer({ min: 2, max: 12 }).chain((size) => {
  const node = fc.nat({ max: size - 1 });
  const each = <T>(of: fc.Arbitrary<T>) => fc.array(of, { minLength: size, maxLength: size });
  return fc.record({
    ends: each(fc.constantFrom<End>('succeeds', 'succeeds', 'succeeds', 'throws', 'hangs')),
    parents: each(fc.option(node, { nil: null, freq: 2 })).map((parents) =>
      parents.map((parent, at) => (parent !== null && parent < at ? parent : null)),
    ),
    edges: fc
      .uniqueArray(fc.record({ from: node, to: node, onFailure: POLICY }), {
        maxLength: 2 * size,
        selector: ({ from, to }) => `${from} ${to}`,
      })
      .map((edges) => edges.filter(({ from, to }) => from < to)),
    onFailure: each(POLICY),
    troubles: fc.array(
      fc.record({
        kind: fc.constantFrom<Trouble['kind']>('cancel', 'delete', 'lose'),
        node,
        after: fc.nat({ max: 4 }),
      }),
      { maxLength: 3 },
    ),
  });
});

class Life {
  readonly #plan: Plan;
  readonly #storage: TaskStorage;
  readonly #clock: FakeClock = fakeClock();
  readonly #manager: TaskManager;
  /** By node. */
  readonly #ids = new Map<number, string>();
  readonly #starts = new Map<number, number>();
  readonly #early: string[] = [];
  readonly #deleted = new Set<number>();
  /** Being deleted, or deleted: what waits for one may start before the delete is over. */
  readonly #doomed = new Set<number>();
  readonly #touched = new Set<number>();
  #losses = 0;

  constructor(plan: Plan, storage: TaskStorage) {
    this.#plan = plan;
    this.#storage = storage;
    const node = defineTask({
      name: 'node',
      run: async (at: number, { signal }) => {
        this.#starts.set(at, (this.#starts.get(at) ?? 0) + 1);
        await this.#checkStart(at);
        if (plan.ends[at] === 'throws') throw new Error(`node ${at} threw`);
        if (plan.ends[at] === 'succeeds') return at;
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        return null;
      },
    });
    this.#manager = new TaskManager({ handlers: [node], storage, clock: this.#clock, concurrency: 3, maxLost: 100 });
  }

  /** What a node depends on: what was said, and its children. */
  #dependencies(at: number): readonly { readonly to: number; readonly onFailure: OnFailure }[] {
    const { edges, parents, onFailure } = this.#plan;
    const children = parents.flatMap((parent, to) =>
      parent === at ? [{ to, onFailure: onFailure[to] ?? 'fail' }] : [],
    );
    const named = edges.filter(({ from, to }) => from === at && parents[to] !== at);
    return [...children, ...named];
  }

  #item(at: number): FlowItem {
    const { parents, onFailure } = this.#plan;
    const children = this.#dependencies(at).filter(({ to }) => parents[to] === at);
    return {
      handler: 'node',
      input: at,
      ref: `n${at}`,
      dependsOn: this.#dependencies(at)
        .filter(({ to }) => parents[to] !== at)
        .map(({ to, onFailure: policy }) => ({ id: `n${to}`, onFailure: policy })),
      children: children.map(({ to }) => this.#item(to)),
      onFailure: parents[at] === null ? undefined : onFailure[at],
    };
  }

  async run(): Promise<void> {
    const errors: unknown[] = [];
    this.#manager.on('error', ({ error }) => errors.push(error));
    await this.#manager.start();
    await this.#manager.pause(); // nothing starts before it is known which task is which node
    const tops = this.#plan.parents.flatMap((parent, at) => (parent === null ? [at] : []));
    await this.#manager.submitMany(tops.map((at) => this.#item(at)) as never);
    for (const { id, input } of (await this.#manager.list({ limit: 100 })).items) this.#ids.set(input as number, id);
    await this.#manager.resume();
    for (const trouble of this.#plan.troubles) {
      await turns(trouble.after);
      await this.#make(trouble);
    }
    await this.#finish();
    expect(this.#early).toEqual([]);
    expect(errors).toEqual([]);
    const records = await this.#records();
    for (const at of this.#plan.ends.keys()) this.#judge(at, records);
    await this.#manager.close({ timeout: 0 });
  }

  /** Nothing runs before what it depends on. */
  async #checkStart(at: number): Promise<void> {
    for (const { to, onFailure } of this.#dependencies(at)) {
      const [task] = await this.#storage.get([this.#ids.get(to) ?? ''], { archived: true });
      const gone = task === undefined || task === null;
      const fits = gone
        ? this.#doomed.has(to)
        : onFailure === 'run'
          ? task.finishedAt !== null
          : task.status === 'succeeded';
      if (!fits) this.#early.push(`${at} before ${to}, which is ${task?.status}`);
    }
  }

  async #make({ kind, node }: Trouble): Promise<void> {
    const id = this.#ids.get(node) ?? '';
    if (kind === 'lose') {
      this.#losses++;
      for (const { id: workerId } of await this.#storage.workers()) await this.#storage.takeBack(workerId, 1_000);
      await this.#clock.advance('11s'); // its next beat finds out
      return;
    }
    this.#touched.add(node);
    if (kind === 'cancel') {
      await this.#manager.cancel(id).catch((error: unknown) => {
        if (!(error instanceof TransitionError || error instanceof TaskNotFoundError)) throw error;
      });
    } else {
      this.#doom(node);
      const deleting = this.#manager.delete(id, { related: true, cancel: true, purge: true }).then(
        () => this.#gone(),
        () => this.#gone(), // deleted already
      );
      const done = deleting.then(() => true);
      for (let round = 0; !(await Promise.race([done, turns(20).then(() => false)])); round++) {
        if (round === 100) throw new Error(`Node ${node} is not deleted: ${await this.#left()}`);
        await this.#clock.advance('1s');
      }
    }
  }

  /** With all that is below it: its children and, but for its parent, what depends on it. */
  #doom(node: number): void {
    if (this.#doomed.has(node)) return;
    this.#doomed.add(node);
    const { parents, edges } = this.#plan;
    for (const [child, parent] of parents.entries()) if (parent === node) this.#doom(child);
    for (const { from, to } of edges) if (to === node && from !== parents[node]) this.#doom(from);
  }

  async #gone(): Promise<void> {
    const records = await this.#records();
    for (const at of this.#ids.keys()) if (!records.has(at)) this.#deleted.add(at);
  }

  async #records(): Promise<Map<number, TaskRecord>> {
    const nodes = [...this.#ids.keys()];
    const tasks = await this.#storage.get(
      nodes.map((at) => this.#ids.get(at) ?? ''),
      { archived: true },
    );
    return new Map(nodes.flatMap((at, index) => (tasks[index] ? [[at, tasks[index]] as const] : [])));
  }

  /** Whatever hangs is cancelled, once nothing else moves. */
  async #finish(): Promise<void> {
    for (let round = 0; round < 100; round++) {
      await turns(20);
      await this.#clock.advance('1s');
      const unfinished = [...(await this.#records()).entries()].filter(([, task]) => task.finishedAt === null);
      if (unfinished.length === 0) return;
      for (const [at, { id, status }] of unfinished) {
        if (status !== 'running' || this.#plan.ends[at] !== 'hangs') continue;
        this.#touched.add(at);
        await this.#manager.cancel(id).catch(() => {});
      }
    }
    throw new Error(`It does not end: ${await this.#left()}`);
  }

  async #left(): Promise<string> {
    return [...(await this.#records()).values()].map(({ input, status }) => `${input} ${status}`).join(', ');
  }

  /** Everything ended as the policies say. */
  #judge(at: number, records: ReadonlyMap<number, TaskRecord>): void {
    const task = records.get(at);
    const starts = this.#starts.get(at) ?? 0;
    const what = `node ${at}: ${JSON.stringify(task)}`;
    if (task === undefined) {
      expect(this.#deleted, what).toContain(at);
      return;
    }
    expect(starts, what).toBeLessThanOrEqual(1 + this.#losses);
    const dependencies = this.#dependencies(at);
    const isLost = dependencies.some(({ to }) => !records.has(to)); // deleted: who knows how it ended
    const bad = (onFailure: OnFailure): boolean =>
      dependencies.some((edge) => {
        const status = records.get(edge.to)?.status;
        return edge.onFailure === onFailure && status !== undefined && status !== 'succeeded';
      });
    if (task.error?.code === 'dependency_failed') {
      expect([task.status, bad('fail') || isLost], what).toEqual(['failed', true]);
    } else if (task.cancelReason?.startsWith('Skipped: ')) {
      expect([task.status, task.error, bad('skip') || isLost], what).toEqual(['cancelled', null, true]);
    } else if (task.cancelReason?.startsWith('No longer needed: ')) {
      const dependents = [...records].filter(([from]) => this.#dependencies(from).some(({ to }) => to === at));
      expect(dependents.length + this.#deleted.size, what).toBeGreaterThan(0);
      for (const [, dependent] of dependents) expect(['failed', 'cancelled'], what).toContain(dependent.status);
      expect(task.status, what).toBe('cancelled');
      // Where its process was lost before the start was stored, nobody knows of that.
      expect([starts <= this.#losses, task.startedAt], what).toEqual([true, null]);
    } else if (task.status === 'cancelled') {
      // By hand: itself, or something above it.
      const above: number[] = [at];
      for (let parent = this.#plan.parents[at] ?? null; parent !== null; parent = this.#plan.parents[parent] ?? null) {
        above.push(parent);
      }
      expect(above.some((one) => this.#touched.has(one)) || this.#deleted.size > 0, what).toBe(true);
    } else {
      expect(task.status, what).toBe(this.#plan.ends[at] === 'throws' ? 'failed' : 'succeeded');
      expect(starts, what).toBeGreaterThan(0);
      expect(bad('fail') || bad('skip'), what).toBe(false);
    }
  }
}

const STORAGES = { memory: () => new MemoryStorage(), sqlite: () => new SqliteStorage(':memory:') };

describe.each(Object.entries(STORAGES))('random flows [%s]', (_name, open) => {
  test('everything ends, nothing runs before its dependencies, and the policies hold', async () => {
    await fc.assert(
      fc.asyncProperty(PLAN, async (plan) => {
        await new Life(plan, open()).run();
      }),
      { numRuns: 60 },
    );
  }, 300_000);
});
