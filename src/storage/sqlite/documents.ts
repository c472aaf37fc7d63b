import type { JsonValue } from '../../task/json.ts';
import type { DocumentPut, StoredDocument } from '../storage.ts';
import type { Database, Row } from './database.ts';
import { decodeJson, decodeText, encodeText } from './text.ts';
import type { Transaction } from './transaction.ts';

/** What a put may ask for. */
export interface PutOptions {
  readonly ifVersion?: number;
  readonly dueAt?: number | null | undefined;
  readonly expiresAt?: number | null;
}

const SELECT = 'select kind, key, value, version, due_at from tasklane_document';
const INSERT =
  'insert or replace into tasklane_document(version, due_at, expires_at, value, kind, key) values(?, ?, ?, ?, ?, ?)';
const UPDATE =
  'update tasklane_document set version = ?, due_at = ?, expires_at = ?, value = ? where kind = ? and key = ?';
const ALIVE = '(expires_at is null or expires_at > ?)';

/** One document, unless it has expired. */
export function readDocument(database: Database, kind: string, key: string, now: number): StoredDocument | null {
  const sql = `${SELECT} where kind = ? and key = ? and ${ALIVE}`;
  const row = database.get(sql, encodeText(kind), encodeText(key), now);
  return row === undefined ? null : toDocument(row);
}

/** Which part of a kind. */
export interface DocumentPage {
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
  readonly values?: boolean | undefined;
}

/** Those of a kind, by key. */
export function readDocuments(
  database: Database,
  kind: string,
  { after, limit = -1, values = true }: DocumentPage,
  now: number,
): readonly StoredDocument[] {
  const behind = after === undefined ? '' : 'and key > ?';
  const select = values ? SELECT : SELECT.replace('value', "'null'");
  const sql = `${select} where kind = ? ${behind} and ${ALIVE} order by key limit ? + 0`;
  const place = after === undefined ? [] : [encodeText(after)];
  return database.all(sql, encodeText(kind), ...place, now, limit).map(toDocument);
}

/** What is due at `at`, the longest due first. */
export function readDueDocuments(
  database: Database,
  kind: string,
  at: number,
  limit: number,
  now: number,
): readonly StoredDocument[] {
  const sql = `${SELECT} where kind = ? and due_at is not null and due_at <= ? and ${ALIVE} order by due_at, key limit ? + 0`;
  return database.all(sql, encodeText(kind), at, now, limit).map(toDocument);
}

/** Of one that has not expired; 0: there is none. */
export function versionOf({ database, now }: Transaction, kind: string, key: string): number {
  const sql = `select version from tasklane_document where kind = ? and key = ? and ${ALIVE}`;
  const row = database.get(sql, encodeText(kind), encodeText(key), now);
  return row === undefined ? 0 : (row[0] as number);
}

/** See `Documents.putDocument`. */
export function putDocument(
  transaction: Transaction,
  kind: string,
  key: string,
  value: JsonValue,
  options: PutOptions,
): number | null {
  const before = versionOf(transaction, kind, key);
  if (options.ifVersion !== undefined && options.ifVersion !== before) return null;
  return storeDocument(transaction, { ...options, kind, key, value, ifVersion: before });
}

/** The same, where its version is known to be this. @returns the new version */
export function storeDocument(
  { database, happened }: Transaction,
  { kind, key, value, ifVersion: before, dueAt, expiresAt }: DocumentPut & Pick<PutOptions, 'expiresAt'>,
): number {
  const values = [
    before + 1,
    dueAt ?? null,
    expiresAt ?? null,
    JSON.stringify(value),
    encodeText(kind),
    encodeText(key),
  ];
  // To replace a row is to delete and insert it, with all its places in the indexes. At 0 an expired one may be in the way.
  database.run(before === 0 ? INSERT : UPDATE, ...values);
  happened.control();
  return before + 1;
}

/** See `Documents.deleteDocument`. */
export function deleteDocument(transaction: Transaction, kind: string, key: string): boolean {
  const { database, happened } = transaction;
  const there = versionOf(transaction, kind, key) > 0;
  database.run('delete from tasklane_document where kind = ? and key = ?', encodeText(kind), encodeText(key));
  if (there) happened.control();
  return there;
}

function toDocument([kind, key, value, version, dueAt]: Row): StoredDocument {
  return {
    kind: decodeText(kind as string),
    key: decodeText(key as string),
    value: decodeJson(value as string) as JsonValue,
    version: version as number,
    dueAt: dueAt as number | null,
  };
}
