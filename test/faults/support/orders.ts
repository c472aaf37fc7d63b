import type { Item } from './messages.ts';
import type { Random } from './random.ts';

/** Tasks that are submitted by one call: one by `submit`, several by `submitMany`, all or nothing. */
export interface Order {
  /** Tag of its tasks. */
  readonly name: string;
  readonly items: readonly Item[];
  /** Its tasks have idempotency keys, so that it is sent again when nobody acknowledged it. */
  readonly keyed: boolean;
  /** Whoever sends it waits for its answer before it sends the next. */
  readonly awaited: boolean;
  /** What was acknowledged; null: nothing was. */
  ids: readonly string[] | null;
}

/** Draws an order. */
export function drawOrder(random: Random, name: string): Order {
  const keyed = random.chance(0.5);
  const size = random.chance(0.2) ? 3 : 1;
  const items = Array.from({ length: size }, (_, index): Item => {
    const idempotencyKey = keyed ? `${name}.${index}` : undefined;
    const delay = random.chance(0.15) ? random.between(0, 200) : undefined;
    return { ...drawTask(random), priority: random.between(-1, 1), tags: { order: name }, idempotencyKey, delay };
  });
  return { name, items, keyed, awaited: random.chance(0.5), ids: null };
}

function drawTask(random: Random): Item {
  const kind = random.next();
  if (kind < 0.3) return { handler: 'noop' };
  if (kind < 0.4) return { handler: 'snooze', input: { times: random.between(1, 2) } };
  if (kind < 0.5) return { handler: 'flaky', input: { times: random.between(1, 2) } };
  return { handler: 'work', input: { ms: random.between(5, 100), steps: random.between(1, 4) } };
}
