import { DatabaseSync } from 'node:sqlite';
import { temporaryFile } from './temporary.ts';

/**
 * What the disk and SQLite can do at best: rows with an id and an input, and no index but the rowid.
 * @param batch rows of one commit
 * @returns rows a second
 */
export function insertRows(count: number, batch: number, synchronous: 'normal' | 'full' = 'normal'): number {
  const database = new DatabaseSync(temporaryFile());
  database.exec(`pragma journal_mode = wal; pragma synchronous = ${synchronous};`);
  database.exec('create table bare(seq integer primary key, id text not null, input text) strict');
  const insert = database.prepare('insert into bare(id, input) values(?, ?)');
  const begin = database.prepare('begin immediate');
  const commit = database.prepare('commit');
  const begun = performance.now();
  for (let n = 0; n < count; n++) {
    if (batch > 1 && n % batch === 0) begin.run();
    insert.run(`task_${n}`, JSON.stringify({ n }));
    if (batch > 1 && (n + 1) % batch === 0) commit.run();
  }
  const seconds = (performance.now() - begun) / 1e3;
  database.close();
  return count / seconds;
}
