import { strict as assert } from 'node:assert';
import { test } from 'vitest';
import { ON_FAILURE } from '../../src/flow/rules.ts';
import { MemoryStorage } from '../../src/storage/memory/memory-storage.ts';
import { SqliteStorage } from '../../src/storage/sqlite/index.ts';
import type { Claim, ClaimRequest, Edge, Progressed, TaskDraft, TaskStorage } from '../../src/storage/storage.ts';
import { parseFilter, SORT_KEYS, type TaskFilter } from '../../src/task/query.ts';
import type { TaskProgress, TaskRecord } from '../../src/task/record.ts';
import { STATUSES } from '../../src/task/status.ts';
import * as step from '../../src/task/transition.ts';
import { LOG_LIMIT, leaseOf, WORKER, World } from '../../src/testing/cases/world.ts';
import { fakeClock } from '../../src/testing/fake-clock.ts';

// One life of tasks, drawn from a seed, on both storages at once: each answer is the same. Failures name their seed.

const SEEDS = 45;
const STEPS = 150;

let waits = 0;
let shown = 0;

type Draw = <T>(choices: readonly T[]) => T;

/** Mulberry32: draws that follow each other do not depend on each other, as those of a plain product would. */
function drawFrom(seed: number): Draw {
  let state = seed;
  return <T>(choices: readonly T[]): T => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return choices[Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * choices.length)] as T;
  };
}

const LIMIT = { lines: 3, bytes: 20 };
const NO_STEPS = { processed: null, total: null, message: null, rate: null, remainingMs: null };
const ERROR = { name: 'Error', message: 'boom', code: null };

class Life {
  readonly clock = fakeClock();
  readonly storages: readonly TaskStorage[] = [new MemoryStorage(), new SqliteStorage(':memory:')];
  readonly #draw: Draw;
  readonly #world: World;
  readonly #claims: Claim[] = [];
  readonly #ids: string[] = ['none'];
  #calls = 0;
  /** How often a task was seen to wait for another. */
  waits = 0;
  /** How often a task was seen to show the progress of its children. */
  shown = 0;

  constructor(draw: Draw) {
    this.#draw = draw;
    const storage = this.storages[0] as TaskStorage;
    this.#world = new World({ storage, connect: async () => storage, close: async () => {} }, this.clock);
  }

  /** Asks both the same, and compares. */
  async ask<T>(
    what: string,
    question: (storage: TaskStorage) => Promise<T>,
    order?: (answer: T) => unknown,
  ): Promise<T> {
    const answers: T[] = [];
    for (const storage of this.storages) answers.push(await question(storage));
    const [memory, sqlite] = order === undefined ? answers : answers.map(order);
    assert.deepEqual(sqlite, memory, what);
    return answers[0] as T;
  }

  async act(): Promise<void> {
    const draw = this.#draw;
    const now = this.clock.now();
    const workerId = draw(['w1', 'w2']);
    const taskId = draw(this.#ids);
    const claim = draw(this.#claims.slice(-12).concat(this.#claims.slice(-1)));
    switch (
      draw(['insert', 'insert', 'claim', 'claim', 'settle', 'settle', 'beat', 'change', 'change', 'more'] as const)
    ) {
      case 'insert': {
        const drafts = Array.from({ length: draw([1, 1, 2, 5]) }, () => this.#draft(now));
        this.#addEdges(drafts);
        this.#ids.push(...drafts.map(({ record }) => record.id));
        const options = { atomic: draw([true, false]), maxUnfinished: draw([1_000, 1_000, 12]) };
        const insert = (storage: TaskStorage) => storage.insert(structuredClone(drafts), options);
        if (draw([true, true, false])) {
          await this.ask('insert', insert);
          return;
        }
        // A claim of the same moment: to write both at once must not show.
        const request = this.#request(workerId, draw([undefined, undefined, [draw(this.#ids)]]));
        const both = (storage: TaskStorage) => Promise.all([insert(storage), storage.claim(request)]);
        const [, { claims }] = await this.ask('insert and claim', both, ([answers, claim]) => [
          answers,
          unordered(claim),
        ]);
        this.#claims.push(...claims);
        return;
      }
      case 'claim': {
        const request = this.#request(workerId, draw([undefined, undefined, [taskId, draw(this.#ids)]]));
        const { claims } = await this.ask('claim', (storage) => storage.claim(request), unordered);
        this.#claims.push(...claims);
        if (claims.length === 0 || draw([true, true, false])) return;
        await this.ask('claim again', (storage) => storage.claim(request));
        return;
      }
      case 'settle': {
        if (claim === undefined) return;
        const steps = draw([
          step.succeed({ n: this.#calls }),
          step.fail(ERROR),
          step.retry(ERROR, draw([0, 2_000])),
          step.snooze(1_500),
          step.giveBack(),
          step.leaked(step.cancelled(), claim.task.workerId ?? ''),
          step.leaked(step.fail(ERROR), claim.task.workerId ?? ''),
        ]);
        const settlement = { lease: leaseOf(claim), steps, ...this.#report(now) };
        await this.ask('settle', (storage) => storage.settle([settlement], { logLimit: LIMIT, records: true }));
        return;
      }
      case 'beat': {
        const join = draw([undefined, WORKER]);
        const reports = claim === undefined ? [] : [{ lease: leaseOf(claim), ...this.#report(now) }];
        await this.ask('beat', (storage) => storage.beat({ workerId, join, reports, logLimit: LIMIT, records: true }));
        return;
      }
      case 'change': {
        const steps = draw([
          step.cancel('why', now),
          step.cancel(null, now),
          step.restart(),
          step.restart(),
          step.runNow(),
          step.complete({ by: 'hand' }),
          step.failFromOutside(ERROR),
          step.update({ priority: draw([-1, 0, 1]) }),
          step.update({ runAt: draw([null, now, now + 1_000]) }),
          step.update({ description: draw([null, 'new']) }),
          step.archive(now),
        ]);
        const tags = draw([undefined, undefined, { team: draw([null, 'x', 2]) }]);
        const metadata = draw([undefined, undefined, { deep: { [draw(['a', 'b'])]: draw([1, null]) } }]);
        const descendants = draw([true, false]);
        await this.ask('change', (storage) => storage.change([{ taskId, steps, tags, metadata, descendants }]));
        return;
      }
      default:
        await this.#more(workerId, taskId);
    }
  }

  async #more(workerId: string, taskId: string): Promise<void> {
    const draw = this.#draw;
    const limit = draw([1, 2, 100]);
    switch (draw(['time', 'time', 'takeBack', 'remove', 'prune', 'list', 'list', 'list'] as const)) {
      case 'time':
        return this.clock.advance(draw([1, 700, 5_000]));
      case 'takeBack':
        // Which of a worker's tasks go first is the storage's choice: here, all.
        await this.ask(
          'takeBack',
          (storage) => storage.takeBack(workerId, 1_000),
          (answer) => ({ ...answer, taken: byId(answer.taken), progressed: byId(answer.progressed ?? []) }),
        );
        return;
      case 'remove':
        await this.ask('remove', (storage) => storage.remove([taskId]));
        return;
      case 'prune': {
        const rule = {
          status: ['succeeded', 'failed'],
          handlers: null,
          except: draw([[], ['a']]),
          ageMs: 4_000,
        } as const;
        // Of those that ended at the same moment any may go first: here, all.
        await this.ask('prune', (storage) => storage.prune(1_000, { rules: [rule], count: 1_000 }));
        return;
      }
      default: {
        const filter = draw([
          {},
          { archived: 'both' },
          { status: draw(STATUSES) },
          { handler: 'a' },
          { submittedBy: { none: true } },
          { input: { n: 1 } },
          { metadata: { deep: { a: 1 } } },
          { held: draw([true, false]) },
          { result: null },
          { tags: { team: draw(['x', 2]) } },
          { text: draw(['a', 'TASK', 'new']) },
        ] as const);
        // of statuses that have something in common and of some that have not; beside another group that says more, or nothing
        const groups = draw<readonly (readonly TaskFilter[])[]>([
          [],
          [[{ held: draw([true, false]), status: draw([['scheduled', 'queued'], STATUSES]) }]],
          [[{ status: ['succeeded', 'cancelled'] }, { held: true }]],
          [
            [
              { status: ['queued', 'running'] },
              { status: 'scheduled', held: draw([true, false]) },
              { status: 'failed' },
            ],
          ],
          [[{ status: ['queued', 'running'] }, { status: ['running', 'failed'] }]],
          [[{ status: ['queued', 'scheduled'] }, { held: true }]],
          [[{ status: 'queued' }, { handler: 'a' }]],
          [[{ status: 'queued' }, { held: true }], [{ scheduleId: { none: true }, handler: ['a', 'b'] }]],
          [
            [{ status: 'queued' }, { status: 'failed' }],
            [{ held: true }, { status: 'queued' }],
          ],
        ]);
        const query = {
          where: [
            [parseFilter(filter)],
            ...groups.map((group) =>
              group.map((one) => parseFilter({ archived: draw(['both', 'both', false, true]), ...one })),
            ),
          ],
          sort: draw(SORT_KEYS),
          descending: draw([true, false]),
          backward: draw([true, false]),
          offset: draw([0, 0, 3]),
          limit,
          payloads: draw([true, false]),
        };
        await this.ask('count', (storage) => storage.count(query.where));
        const page = await this.ask(
          'list',
          (storage) => storage.list(query),
          ({ items, more }) => ({ items, more }),
        );
        const id = page.items[0]?.id;
        if (id === undefined) return;
        const from = { ...query, from: { id } };
        await this.ask(
          'list from',
          (storage) => storage.list(from),
          ({ items, more }) => ({ items, more }),
        );
      }
    }
  }

  /** Everything there is to read. */
  async compare(): Promise<void> {
    const everything = { where: [], sort: 'id', descending: false, limit: 1_000, payloads: true } as const;
    const { items } = await this.ask(
      'all',
      (storage) => storage.list(everything),
      ({ items }) => items,
    );
    for (const { id, progress } of items) {
      if (progress !== null && progress.total !== null) this.shown++;
      await this.ask(`attempts of ${id}`, (storage) => storage.attempts(id));
      for (const side of ['dependencies', 'dependents'] as const) {
        const edges = await this.ask(
          `edges of ${id}`,
          (storage) => storage.edges(id, { side, limit: 100 }),
          withoutPlace,
        );
        if (side === 'dependencies' && edges?.some(({ open }) => open)) this.waits++;
      }
      await this.ask(`log of ${id}`, (storage) => storage.log(id, { after: 0, limit: 100 }));
    }
    await this.ask(
      'counts',
      (storage) => storage.counts(),
      (counts) =>
        counts
          .filter(({ count }) => count > 0)
          .map(({ handler, status, count }) => `${handler} ${status} ${count}`)
          .sort(),
    );
    await this.ask('oldestQueued', (storage) => storage.oldestQueued(['a', 'b']));
    await this.ask('nextDue', (storage) => storage.nextDue());
    for (const workerId of ['w1', 'w2']) {
      await this.ask(
        'cancelling',
        (storage) => storage.cancelling(workerId),
        (tasks) => tasks.map(({ lease, reason }) => `${lease.taskId} ${lease.token} ${reason}`).sort(),
      );
    }
    await this.ask(
      'workers',
      (storage) => storage.workers(),
      (workers) => workers.map(({ id }) => id).sort(),
    );
  }

  #request(workerId: string, ids: readonly string[] | undefined): ClaimRequest {
    const draw = this.#draw;
    const token = `t${this.#calls++}`;
    const handlers = ['a', 'b'].map((name) => ({ name, limit: draw([0, 1, 5]) }));
    return { workerId, token, handlers, limit: draw([0, 1, 4]), ids };
  }

  /** Drafts that wait are made to depend on earlier ones, and on drafts in front of them: so there is no circle. */
  #addEdges(drafts: TaskDraft[]): void {
    const draw = this.#draw;
    for (const [at, draft] of drafts.entries()) {
      if (draft.record.status !== 'waiting' || draw([true, true, false])) continue;
      const recent = this.#ids.slice(-6);
      const others = [draw(recent), draw(recent), drafts[at - 1]?.record.id ?? draw(this.#ids)];
      const dependsOn = [...new Set(others)].map((id) => ({ id, onFailure: draw(ON_FAILURE) }));
      const runAt = draw([null, null, this.clock.now() + 1_500]);
      drafts[at] = { ...draft, record: { ...draft.record, runAt }, dependsOn };
    }
  }

  #draft(now: number): TaskDraft {
    const draw = this.#draw;
    const schedule = draw([
      { status: 'queued' },
      { status: 'queued' },
      { status: 'scheduled', runAt: now + 900 },
      { status: 'scheduled', runAt: null },
      { status: 'waiting' },
      { status: 'waiting' },
    ] as const);
    const unique = draw([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      { scope: 'unfinished', onConflict: draw(['skip', 'error', 'replace', 'runAfter', 'runAfter'] as const) } as const,
      { scope: 'unstarted', onConflict: 'replace', ownOnly: true, maxWaitMs: draw([1_500, Infinity]) } as const,
      { scope: { windowMs: 1_000 }, onConflict: draw(['skip', 'replace'] as const), ownOnly: true } as const,
    ]);
    const idempotency = draw([undefined, undefined, { fingerprint: draw(['f', 'g']), expiresAt: now + 3_000 }]);
    return this.#world.draft({
      ...schedule,
      handler: draw(['a', 'b']),
      priority: draw([0, 0, 1]),
      input: draw([null, { n: 1 }]),
      tags: draw([{}, { team: 'x' }]),
      metadata: draw([null, { deep: { a: 1 } }]),
      submittedBy: draw([null, 'user']),
      parentId: draw([null, null, draw(this.#ids)]),
      startBy: draw([null, null, null, now + 2_000]),
      showsChildren: draw([undefined, undefined, true]),
      weight: draw([undefined, 0.1, 3]),
      maxLost: draw([0, 2]),
      uniqueKey: unique === undefined ? null : draw(['k', 'l']),
      unique,
      idempotencyKey: idempotency === undefined ? null : draw(['i', 'j']),
      idempotency,
    });
  }

  #report(now: number): {
    startedAt?: number;
    checkpoint?: string;
    log?: [{ at: number; level: 'info'; message: string }];
    leakEnded?: true;
    progress?: TaskProgress;
  } {
    const draw = this.#draw;
    return {
      ...draw([{}, { startedAt: now }]),
      ...draw([{}, { checkpoint: `c${this.#calls}` }]),
      ...draw([
        {},
        {
          log: [{ at: now, level: 'info', message: `line ${this.#calls}` }] as [
            { at: number; level: 'info'; message: string },
          ],
        },
      ]),
      ...draw([{}, {}, { progress: { ...NO_STEPS, fraction: draw([0.2, 0.7, null]), at: now } }]),
      ...draw([{}, {}, {}, { leakEnded: true as const }]),
    };
  }
}

function byId<T extends { readonly id: string }>(records: readonly T[]): readonly T[] {
  return [...records].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Places in lists are each storage's own. */
function withoutPlace(edges: readonly Edge[] | null): unknown {
  return edges?.map(({ place: _place, ...edge }) => edge);
}

function unordered<
  T extends Progressed & { readonly queued: readonly TaskRecord[]; readonly expired: readonly TaskRecord[] },
>(answer: T): unknown {
  const { queued, expired, progressed = [] } = answer;
  return { ...answer, queued: byId(queued), expired: byId(expired), progressed: byId(progressed) };
}

test.each(Array.from({ length: SEEDS }, (_, seed) => seed))('memory and SQLite agree, seed %i', async (seed) => {
  const life = new Life(drawFrom(seed));
  for (const storage of life.storages) {
    await storage.open({ clock: life.clock });
    for (const workerId of ['w1', 'w2']) {
      await storage.beat({ workerId, join: WORKER, reports: [], logLimit: LOG_LIMIT, records: false });
    }
  }
  for (let at = 0; at < STEPS; at++) {
    await life.act();
    if (at % 10 === 9) await life.compare();
  }
  for (const storage of life.storages) await storage.close();
  waits += life.waits;
  shown += life.shown;
});

test('and tasks did wait for each other', () => {
  assert.ok(waits > 100, `${waits}`);
});

test('and tasks did show the progress of their children', () => {
  assert.ok(shown > 100, `${shown}`);
});
