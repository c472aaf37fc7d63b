import type { LogLine } from '../../task/record.ts';
import type { LogLimit, NewLogLine } from '../storage.ts';

/** The newest log lines of a task. */
export class Log {
  #lines: LogLine[] = [];
  #bytes = 0;
  #seq = 0;

  /** Adds lines; the oldest go until what is left keeps the limit. */
  add(lines: readonly NewLogLine[], limit: LogLimit): void {
    for (const { at, level, message } of lines) {
      this.#lines.push({ seq: ++this.#seq, at, level, message });
      this.#bytes += Buffer.byteLength(message);
    }
    let drop = Math.max(0, this.#lines.length - limit.lines);
    for (let at = 0; at < this.#lines.length && (at < drop || this.#bytes > limit.bytes); at++) {
      this.#bytes -= Buffer.byteLength(this.#lines[at]?.message ?? '');
      drop = Math.max(drop, at + 1);
    }
    if (drop > 0) this.#lines.splice(0, drop);
  }

  /** Up to `limit` lines whose `seq` is larger than `after`, oldest first. */
  page(after: number, limit: number): readonly LogLine[] {
    const first = this.#lines[0];
    if (first === undefined) return [];
    const start = Math.max(0, after + 1 - first.seq); // no `seq` is left out between the first and the last
    return this.#lines.slice(start, start + limit).map((line) => ({ ...line }));
  }
}
