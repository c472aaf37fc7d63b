import type { LogLevel, LogLine } from '../../task/record.ts';
import type { LogLimit, NewLogLine } from '../storage.ts';
import type { Database } from './database.ts';
import { decodeText, encodeText } from './text.ts';
import type { Transaction } from './transaction.ts';

/** Adds lines to a task's log; the oldest go until what is left keeps the limit. */
export function writeLog({ database }: Transaction, seq: number, lines: readonly NewLogLine[], limit: LogLimit): void {
  const end = database.get('select line, lines, bytes from tasklane_log_end where task = ?', seq);
  let last = Number(end?.[0] ?? 0);
  let count = Number(end?.[1] ?? 0);
  let bytes = Number(end?.[2] ?? 0);
  for (const { at, level, message } of lines) {
    const size = Buffer.byteLength(message);
    database.run(
      'insert into tasklane_log(task, line, at, level, bytes, message) values(?, ?, ?, ?, ?, ?)',
      seq,
      ++last,
      at,
      level,
      size,
      encodeText(message),
    );
    count++;
    bytes += size;
  }
  while (count > 0 && (count > limit.lines || bytes > limit.bytes)) {
    const first = last - count + 1; // no line is left out between the first and the last
    const oldest = database.get('select bytes from tasklane_log where task = ? and line = ?', seq, first);
    database.run('delete from tasklane_log where task = ? and line = ?', seq, first);
    bytes -= Number(oldest?.[0] ?? 0);
    count--;
  }
  database.run(
    'insert or replace into tasklane_log_end(task, line, lines, bytes) values(?, ?, ?, ?)',
    seq,
    last,
    count,
    bytes,
  );
}

/** Log lines of a task with a larger number than `after`, oldest first. */
export function readLog(database: Database, seq: number, after: number, limit: number): readonly LogLine[] {
  const sql = 'select line, at, level, message from tasklane_log where task = ? and line > ? order by line limit ? + 0';
  return database.all(sql, seq, after, limit).map(([line, at, level, message]) => ({
    seq: line as number,
    at: at as number,
    level: level as LogLevel,
    message: decodeText(message as string),
  }));
}
