import { Heap } from './heap.ts';
import type { Row } from './row.ts';

/** Spent places at the front of a line are given back from this many on, once they are half of it. */
const SPENT = 1_024;

/**
 * The queued tasks of one priority, in submit order. New ones are appended; one that came back, and so is older than the
 * last, goes into a heap beside the line.
 */
class Level {
  readonly priority: number;
  readonly back = new Heap<Row>((a, b) => a.sequence < b.sequence);
  line: Row[] = [];
  head = 0;

  constructor(priority: number) {
    this.priority = priority;
  }

  get size(): number {
    return this.line.length - this.head + this.back.size;
  }

  push(row: Row): void {
    const last = this.line.length > this.head ? this.line[this.line.length - 1] : undefined;
    // Times ascend along the line too, for `oldest`.
    if (last === undefined || (row.sequence > last.sequence && (row.queuedAt ?? 0) >= (last.queuedAt ?? 0))) {
      this.line.push(row);
    } else this.back.push(row);
  }

  /** Whether an entry still stands for its row: rows leave without looking for their entries. */
  holds(row: Row): boolean {
    return row.status === 'queued' && row.priority === this.priority;
  }

  inLine(): Row | undefined {
    for (; this.head < this.line.length; this.head++) {
      const row = this.line[this.head] as Row;
      if (this.holds(row)) return row;
    }
    return undefined;
  }

  returned(): Row | undefined {
    for (;;) {
      const row = this.back.peek();
      if (row === undefined || this.holds(row)) return row;
      this.back.pop();
    }
  }

  peek(): Row | undefined {
    const next = this.inLine();
    if (this.back.size === 0) return next;
    const other = this.returned();
    return next === undefined || (other !== undefined && other.sequence < next.sequence) ? other : next;
  }

  /** @param ascending the first of the line is its oldest */
  oldest(ascending: boolean): number | null {
    let oldest: number | null = null;
    const look = (row: Row): void => {
      if (this.holds(row) && row.queuedAt !== null && (oldest === null || row.queuedAt < oldest)) oldest = row.queuedAt;
    };
    const first = this.inLine();
    if (!ascending) for (let at = this.head; at < this.line.length; at++) look(this.line[at] as Row);
    else if (first !== undefined) look(first);
    this.back.items.forEach(look);
    return oldest;
  }

  drop(row: Row): void {
    if (this.line[this.head] === row) {
      this.head++;
      if (this.head >= SPENT && this.head * 2 >= this.line.length) {
        this.line = this.line.slice(this.head);
        this.head = 0;
      }
    } else this.back.pop();
  }
}

/** The queued tasks of a handler: larger priority first, then in submit order. */
export class Ready {
  readonly #by = new Map<number, Level>();
  /** Ascending, so that the one in use is the last. */
  #levels: Level[] = [];
  #left = 0;

  /** A row that became queued, or changed its priority. */
  push(row: Row): void {
    const top = this.#levels[this.#levels.length - 1];
    const level = top !== undefined && top.priority === row.priority ? top : this.#level(row.priority);
    level.push(row);
  }

  /** The next row; stays. */
  peek(): Row | undefined {
    for (;;) {
      const level = this.#levels[this.#levels.length - 1];
      if (level === undefined) return undefined;
      const row = level.peek();
      if (row !== undefined) return row;
      this.#levels.pop();
      this.#by.delete(level.priority);
    }
  }

  /** Takes away what `peek` gave. */
  drop(row: Row): void {
    this.#levels[this.#levels.length - 1]?.drop(row);
  }

  /**
   * When the task that has waited longest became queued; epoch ms, null when none waits.
   * @param queued how many rows are queued
   */
  oldest(queued: number): number | null {
    // Where no entry is stale, a line's times ascend, and its first one is its oldest.
    const ascending = this.#entries() === queued;
    let oldest: number | null = null;
    for (const level of this.#levels) {
      const time = level.oldest(ascending);
      if (time !== null && (oldest === null || time < oldest)) oldest = time;
    }
    return oldest;
  }

  /**
   * A row left, or changed its priority, without being dropped: its entry stays, until too many do.
   * @param queued how many rows are queued
   */
  left(queued: number): void {
    if (++this.#left < SPENT || this.#left < queued) return;
    this.#tidy(queued);
  }

  #tidy(queued: number): void {
    this.#left = 0;
    if (this.#entries() === queued) return;
    const rows = new Set<Row>();
    for (const level of this.#levels) {
      for (const row of level.line.slice(level.head)) if (level.holds(row)) rows.add(row);
      for (const row of level.back.items) if (level.holds(row)) rows.add(row);
    }
    this.#levels = [];
    this.#by.clear();
    for (const row of [...rows].sort((a, b) => a.sequence - b.sequence)) this.push(row);
  }

  #entries(): number {
    return this.#levels.reduce((sum, level) => sum + level.size, 0);
  }

  #level(priority: number): Level {
    let level = this.#by.get(priority);
    if (level !== undefined) return level;
    level = new Level(priority);
    this.#by.set(priority, level);
    let low = 0;
    let high = this.#levels.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#levels[middle] as Level).priority < priority) low = middle + 1;
      else high = middle;
    }
    this.#levels.splice(low, 0, level);
    return level;
  }
}
