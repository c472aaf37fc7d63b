import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { type Child, ChildGone, type Exit, Stage } from './support/child.ts';
import { Reader } from './support/evidence.ts';
import type { Evidence } from './support/explain.ts';
import { drawOrder, type Order } from './support/orders.ts';
import { Random } from './support/random.ts';
import { judge, type Remains, resumed } from './support/verdict.ts';

// Rounds of `kill -9`: two processes share one file and submit and run tasks; each round one of them is killed at a random
// moment, and replaced. By hand:
//
//   node --conditions=tasklane-source test/faults/kill-rounds.ts --rounds 100 --seed 1

const ORDERS_A_ROUND = 50;
const MOMENT_MS = 300;
/** A drain that stands still for so long has failed. */
const STALLED_MS = 30_000;

/** What came of it. */
export interface Report {
  /** Whatever breaks a promise. */
  readonly problems: readonly string[];
  readonly figures: Readonly<Record<string, number | string>>;
}

/** Kills and replaces `rounds` times, lets the survivors finish, and looks at what is left. */
export async function killRounds(rounds: number, seed: number): Promise<Report> {
  const stage = new Stage();
  try {
    return await new Rounds(stage, new Random(seed)).run(rounds);
  } finally {
    await stage.clear();
  }
}

class Rounds {
  readonly #stage: Stage;
  readonly #random: Random;
  readonly #problems: string[] = [];
  readonly #orders: Order[] = [];
  /** Sent to a process that died before it answered; with keys, so that they can be sent again. */
  #unanswered: Order[] = [];
  #sending: Promise<void>[] = [];
  /** When each process had started its manager. */
  readonly #started = new WeakMap<Child, Promise<void>>();

  constructor(stage: Stage, random: Random) {
    this.#stage = stage;
    this.#random = random;
  }

  async run(rounds: number): Promise<Report> {
    const pair: [Child, Child] = [this.#spawn(), this.#spawn()];
    const begun = performance.now();
    for (let round = 1; round <= rounds; round++) await this.#round(pair, round);
    await this.#sendRest(pair[0]);
    const reader = new Reader(this.#stage);
    try {
      await this.#drain(reader, pair);
      for (const child of pair) this.#expect(await child.close(), { code: 0, signal: null }, 'a process that closed');
      const remains = await this.#remains(reader);
      await this.#checkFile(reader, remains.evidence);
      for (const { notices } of this.#stage.children) {
        for (const notice of notices)
          if (notice.kind !== 'began') this.#problems.push(`told: ${JSON.stringify(notice)}`);
      }
      const seconds = Math.round((performance.now() - begun) / 1_000);
      return { problems: [...this.#problems, ...judge(remains)], figures: figuresOf(rounds, seconds, remains) };
    } finally {
      await reader.close();
    }
  }

  async #round(pair: [Child, Child], round: number): Promise<void> {
    const random = this.#random;
    const orders = Array.from({ length: ORDERS_A_ROUND }, (_, index) => drawOrder(random, `${round}.${index}`));
    const victim = random.chance(0.5) ? 0 : 1;
    const moment = random.chance(0.2) ? 0 : random.between(0, MOMENT_MS);
    const startsFirst = random.chance(0.8);
    this.#orders.push(...orders);
    if (startsFirst) await Promise.all(pair.map((child) => this.#started.get(child)));
    const half = orders.length / 2;
    this.#sending.push(this.#send(pair[0], [...this.#unanswered.splice(0), ...orders.slice(0, half)]));
    this.#sending.push(this.#send(pair[1], orders.slice(half)));
    await pause(moment);
    this.#expect(await pair[victim].kill(), { code: null, signal: 'SIGKILL' }, 'a process that was killed');
    pair[victim] = this.#spawn();
  }

  #spawn(): Child {
    // Every other one has no listeners: its manager takes other ways then.
    const child = this.#stage.child({
      listen: this.#stage.children.length % 2 === 0,
      concurrency: 4,
      maxLost: 1_000,
      start: false,
    });
    this.#started.set(child, child.ask('start', true).catch(isGone));
    return child;
  }

  async #send(child: Child, orders: readonly Order[]): Promise<void> {
    const sent: Promise<void>[] = [];
    for (const order of orders) {
      const answer = this.#submit(child, order);
      sent.push(answer);
      if (order.awaited) await answer;
    }
    await Promise.all(sent);
  }

  async #submit(child: Child, order: Order): Promise<void> {
    const [first, ...others] = order.items;
    if (first === undefined) return;
    try {
      const answers =
        others.length > 0 ? await child.ask('submitMany', order.items) : [await child.ask('submit', first)];
      order.ids = answers.map(({ id }) => id);
    } catch (error) {
      if (!(error instanceof ChildGone)) this.#problems.push(`order ${order.name} was refused: ${error}`);
      else if (order.keyed) this.#unanswered.push(order);
    }
  }

  async #sendRest(child: Child): Promise<void> {
    await Promise.all(this.#sending.splice(0));
    await this.#send(child, this.#unanswered.splice(0));
  }

  /** Until every task is final, and the dead workers are gone too. */
  async #drain(reader: Reader, pair: readonly Child[]): Promise<void> {
    let left = '';
    let since = performance.now();
    while (performance.now() - since < STALLED_MS) {
      const unfinished = await reader.count({ status: ['waiting', 'scheduled', 'queued', 'running', 'cancelling'] });
      const workers = (await reader.storage.workers()).length;
      if (unfinished === 0 && workers === pair.length) return;
      const now = `${unfinished} tasks, ${workers} workers`;
      if (now !== left) since = performance.now();
      left = now;
      await pause(50);
    }
    this.#problems.push(`not drained: ${left}`);
  }

  async #remains(reader: Reader): Promise<Remains> {
    const killed = new Map<number, number>();
    for (const { pid, killedAt } of this.#stage.children) if (killedAt !== null) killed.set(pid, killedAt);
    return { orders: this.#orders, evidence: await reader.evidence(), journal: this.#stage.journal(), killed };
  }

  /** The file is sound, its counters are right, and no worker is left in it. */
  async #checkFile(reader: Reader, evidence: readonly Evidence[]): Promise<void> {
    const counted = new Map<string, number>();
    for (const { task } of evidence) {
      const name = `${task.handler} ${task.status}`;
      counted.set(name, (counted.get(name) ?? 0) + 1);
    }
    const counters = (await reader.storage.counts()).filter(({ count }) => count !== 0);
    const shown = new Map(counters.map(({ handler, status, count }) => [`${handler} ${status}`, count]));
    this.#expect(shown, counted, 'the counters');
    this.#expect(await reader.storage.workers(), [], 'the workers after the end');
    const database = new DatabaseSync(this.#stage.file);
    this.#expect({ ...database.prepare('pragma integrity_check').get() }, { integrity_check: 'ok' }, 'the file');
    database.close();
  }

  #expect<T extends object>(actual: T | Exit, expected: T | Exit, what: string): void {
    if (isDeepStrictEqual(actual, expected)) return;
    this.#problems.push(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
  }
}

function isGone(error: unknown): void {
  if (!(error instanceof ChildGone)) throw error;
}

function figuresOf(rounds: number, seconds: number, remains: Remains): Report['figures'] {
  const { evidence, orders, killed } = remains;
  const sum = (of: (one: Evidence) => number): number => evidence.reduce((total, one) => total + of(one), 0);
  const { atOnce, later } = resumed(remains);
  return {
    rounds,
    seconds,
    kills: killed.size,
    'tasks acknowledged': orders.reduce((total, { ids }) => total + (ids?.length ?? 0), 0),
    'orders never acknowledged': orders.filter(({ ids }) => ids === null).length,
    tasks: evidence.length,
    runs: sum(({ runs }) => runs.length),
    'runs cut off': sum(({ runs }) => runs.filter(({ end }) => end === null).length),
    attempts: sum(({ task }) => task.attempt),
    lost: sum(({ task }) => task.lost),
    interrupted: sum(({ task }) => task.interrupted),
    retried: sum(({ attempts }) => attempts.filter(({ outcome }) => outcome === 'retrying').length),
    snoozed: sum(({ task }) => task.snoozed),
    'SIGKILL to next start, ms': spread(atOnce),
    'the same, lost again': spread(later),
  };
}

function spread(times: readonly number[]): string {
  if (times.length === 0) return 'none';
  const at = (share: number): number => Math.round(times[Math.floor((times.length - 1) * share)] ?? 0);
  return `p50 ${at(0.5)}, max ${at(1)} (${times.length})`;
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { rounds: { type: 'string' }, seed: { type: 'string' } } });
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  const { problems, figures } = await killRounds(Number(values.rounds ?? 100), seed);
  console.table({ seed, ...figures });
  for (const problem of problems) console.error(problem);
  console.log(problems.length === 0 ? 'Every promise was kept.' : `${problems.length} problems with --seed ${seed}`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
