import type { Row } from './row.ts';

/** Spent places are given back from this many on, once they are half. */
const SPENT = 1_024;

/** Final tasks of one handler and status, the oldest first. */
export class Finished {
  #rows: Row[] = [];
  #head = 0;
  /** Entries of rows that were removed. */
  #gone = 0;

  push(row: Row): void {
    const last = this.#rows[this.#rows.length - 1];
    if (last === undefined || at(last) <= at(row)) this.#rows.push(row);
    else this.#rows.splice(this.#after(at(row)), 0, row); // the clock went back
  }

  /** The oldest first; they stay. Not to be read on once one was removed. */
  *oldest(): Generator<Row, undefined> {
    for (; this.#rows[this.#head]?.gone; this.#head++) this.#gone--;
    for (let at = this.#head; at < this.#rows.length; at++) {
      const row = this.#rows[at] as Row;
      if (!row.gone) yield row;
    }
  }

  /** A row that ended at `time` and is final no more. */
  leave(row: Row, time: number): void {
    let place = this.#after(time) - 1;
    while (place >= this.#head && this.#rows[place] !== row) place--;
    if (place >= this.#head) this.#rows.splice(place, 1);
  }

  /** A row was removed; its entry is skipped from now on. */
  forget(): void {
    this.#gone++;
    if (this.#gone + this.#head < SPENT || (this.#gone + this.#head) * 2 < this.#rows.length) return;
    this.#rows = this.#rows.slice(this.#head).filter((row) => !row.gone);
    this.#head = 0;
    this.#gone = 0;
  }

  /** The first place whose time is later. */
  #after(time: number): number {
    let low = this.#head;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (at(this.#rows[middle] as Row) <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function at(row: Row): number {
  return row.finishedAt ?? 0;
}
