import { DEFAULT_WEIGHT, fractionOf, progressOf, type Shares } from '../../flow/shares.ts';
import type { TaskProgress, TaskRecord } from '../../task/record.ts';
import { isFinal } from '../../task/status.ts';
import type { Progressed, TaskDraft } from '../storage.ts';
import { COUNTED, recordOf, SHOWS, statusOf } from './rows.ts';
import { decodeJson, encodeJson } from './text.ts';
import type { Transaction } from './transaction.ts';
import { readStoredAt, writePatch } from './write.ts';

const PARENT = `select seq from tasklane_task where id = ? and edges & ${SHOWS} <> 0`;
const SHARE =
  'select s.parent, s.weight, s.fraction, s.ended, t.status, t.progress from tasklane_share s ' +
  'join tasklane_task t on t.seq = s.child where s.child = ?';
const SHARED = 'update tasklane_share set fraction = ?, ended = ? where child = ?';
const SHOWN = 'select weight, done, total, ended, own from tasklane_shown where parent = ?';
const ADD =
  'update tasklane_shown set weight = weight + ?, done = done + ?, total = total + ?, ended = ended + ? where parent = ?';
const SHOW = 'update tasklane_task set progress = ? where seq = ?';

/** What one insert does to the progress of parents that show that of their children. */
export class InsertShares {
  readonly #transaction: Transaction;
  /** By id; null: it shows nothing. */
  readonly #parents = new Map<string, number | null>();
  readonly #own = new Set<number>();
  readonly #added = new Map<number, Shares>();

  constructor(transaction: Transaction) {
    this.#transaction = transaction;
  }

  /** The bits of a row that is about to be made. */
  bitsOf({ record: { parentId }, showsChildren }: TaskDraft): number {
    return (showsChildren ? SHOWS : 0) | (this.#parentOf(parentId) === null ? 0 : COUNTED);
  }

  /** Whether a parent shows the progress of its children. */
  isShown(parentId: string | null): boolean {
    return this.#parentOf(parentId) !== null;
  }

  /** A draft was made. */
  made(seq: number, { record: { id, parentId }, showsChildren, weight = DEFAULT_WEIGHT }: TaskDraft): void {
    const { database } = this.#transaction;
    const parent = this.#parentOf(parentId);
    if (showsChildren) {
      database.run('insert into tasklane_shown(parent, weight, done, total, ended, own) values(?, 0, 0, 0, 0, 0)', seq);
      this.#parents.set(id, seq);
      this.#own.add(seq);
    }
    if (parent === null) return;
    database.run(
      'insert into tasklane_share(child, parent, weight, fraction, ended) values(?, ?, ?, 0, 0)',
      seq,
      parent,
      weight,
    );
    add(this.#added, parent, { weight, done: 0, total: 1, ended: 0 });
  }

  /** All drafts are made, and nothing has happened to them yet. */
  store(): void {
    const { database, now, grown } = this.#transaction;
    for (const [parent, shares] of this.#added) {
      addShares(this.#transaction, parent, shares);
      // A new task shows them from the start; of another one it is news.
      if (this.#own.has(parent)) database.run(SHOW, encodeJson(progressOf(shares, now)), parent);
      else grown.add(parent);
    }
  }

  #parentOf(id: string | null): number | null {
    if (id === null) return null;
    let parent = this.#parents.get(id);
    if (parent === undefined) {
      const row = this.#transaction.database.get(PARENT, id);
      parent = row === undefined ? null : (row[0] as number);
      this.#parents.set(id, parent);
    }
    return parent;
  }
}

/**
 * Shows with parents, once for all that happened, how far their children came; and so on upwards.
 * @param payloads read whole records
 */
export function showProgress(transaction: Transaction, payloads = true): Progressed {
  const { touched, grown } = transaction;
  if (touched.size === 0 && grown.size === 0) return NONE;
  const shown = new Map<number, TaskRecord>();
  while (touched.size > 0 || grown.size > 0) {
    const parents = new Map([...grown].map((parent) => [parent, { weight: 0, done: 0, total: 0, ended: 0 }]));
    for (const child of touched) gather(transaction, child, parents);
    touched.clear();
    grown.clear();
    for (const [parent, moved] of parents) {
      addShares(transaction, parent, moved);
      const record = show(transaction, parent, payloads);
      if (record !== null) shown.set(parent, record);
    }
  }
  return shown.size === 0 ? NONE : { progressed: [...shown.values()] };
}

/** A task was removed. */
export function removeShares({ database }: Transaction, seq: number): void {
  database.run('delete from tasklane_share where child = ?', seq);
  database.run('delete from tasklane_shown where parent = ?', seq);
}

const NONE: Progressed = Object.freeze({});

/** What a child did since it was looked at last. */
function gather({ database }: Transaction, child: number, parents: Map<number, Shares>): void {
  const row = database.get(SHARE, child);
  if (row === undefined) return;
  const [parent, weight, before, wasEnded, code, text] = row as readonly [
    number,
    number,
    number,
    number,
    number,
    string | null,
  ];
  const status = statusOf(code);
  const ended = isFinal(status) ? 1 : 0;
  const fraction = fractionOf({ status, progress: decodeJson(text) as TaskProgress | null });
  if (fraction === before && ended === wasEnded) return;
  database.run(SHARED, fraction, ended, child);
  add(parents, parent, { weight: 0, done: weight * (fraction - before), total: 0, ended: ended - wasEnded });
}

function add(parents: Map<number, Shares>, parent: number, { weight, done, total, ended }: Shares): void {
  const sums = parents.get(parent);
  if (sums === undefined) parents.set(parent, { weight, done, total, ended });
  else {
    sums.weight += weight;
    sums.done += done;
    sums.total += total;
    sums.ended += ended;
  }
}

function addShares({ database }: Transaction, parent: number, { weight, done, total, ended }: Shares): void {
  if (weight !== 0 || done !== 0 || total !== 0 || ended !== 0) database.run(ADD, weight, done, total, ended, parent);
}

/** @returns null: it stays as it is */
function show(transaction: Transaction, parent: number, payloads: boolean): TaskRecord | null {
  const { database, now } = transaction;
  const row = database.get(SHOWN, parent);
  if (row === undefined) return null;
  const [weight, done, total, ended, own] = row as readonly [number, number, number, number, number];
  const stored = own === 1 ? null : readStoredAt(transaction, parent, payloads);
  if (stored === null || isFinal(stored.task.status)) return null;
  const progress = progressOf({ weight, done, total, ended }, now);
  if (progress === null) return null;
  const version = stored.task.version + 1;
  return recordOf(writePatch(transaction, stored, { progress, version, updatedAt: now }).task);
}
