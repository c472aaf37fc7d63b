import { StorageNewerError } from '../../errors.ts';
import type { Database } from './database.ts';

/**
 * Each brings the schema one version further, and never changes once it was released.
 * The file may be shared with an app's own tables, so every name has a prefix and `user_version` stays the app's.
 *
 * Every index ends in the rowid, which is the submit order: so a list by one column costs the same at any depth. That order
 * is the one of `created_at`, too, but for clocks that went back, so there is no index on it. The ones on rare columns are
 * partial, for each page that a lone commit writes makes it dearer. The index on `status` runs down, so that what runs stands
 * beside the last that succeeded, mostly in one page. Narrow columns come first: a filter that reads them need not walk past
 * an input. Times may have fractions, hence no `strict`.
 *
 * Status codes are the places in `STATUSES`: 0 waiting, 1 scheduled, 2 queued, 3 running, 4 cancelling, above that final.
 */
const MIGRATIONS: readonly string[] = [
  `
  create table tasklane_task(
    seq integer primary key, id text not null, handler text not null, status integer not null,
    priority integer not null, version integer not null, attempt integer not null, max_attempts integer not null,
    max_lost integer not null, started integer not null, edges integer not null,
    created_at integer not null, queued_at integer, updated_at integer not null, started_at integer, finished_at integer,
    run_at integer, start_by integer, archived_at integer, worker_id text, token text, leaked_by text,
    submitted_by text, entity_id text, parent_id text, schedule_id text, description text, unique_key text,
    tags text, more text, progress text, checkpoint text, error text, input text, result text);
  create unique index tasklane_task_id on tasklane_task(id);
  create index tasklane_task_ready on tasklane_task(handler, priority desc) where status = 2;
  create index tasklane_task_due on tasklane_task(run_at) where status = 1 and run_at is not null;
  create index tasklane_task_start_by on tasklane_task(start_by)
    where start_by is not null and status < 3 and started = 0;
  create index tasklane_task_status on tasklane_task(status desc);
  create index tasklane_task_handler on tasklane_task(handler);
  create index tasklane_task_updated on tasklane_task(updated_at) where status < 3;
  create index tasklane_task_touched on tasklane_task(updated_at) where status >= 5 and updated_at <> finished_at;
  create index tasklane_task_finished on tasklane_task(finished_at) where finished_at is not null;
  create index tasklane_task_submitted_by on tasklane_task(submitted_by) where submitted_by is not null;
  create index tasklane_task_entity on tasklane_task(entity_id) where entity_id is not null;
  create index tasklane_task_parent on tasklane_task(parent_id) where parent_id is not null;
  create index tasklane_task_schedule on tasklane_task(schedule_id) where schedule_id is not null;
  create index tasklane_task_leaked on tasklane_task(leaked_by) where leaked_by is not null;
  create index tasklane_task_unique on tasklane_task(handler, unique_key, created_at) where unique_key is not null;
  create index tasklane_task_holder on tasklane_task(handler, unique_key)
    where unique_key is not null and (status < 5 or leaked_by is not null);

  create table tasklane_edge(dependent integer not null, dependency integer not null, on_failure integer not null,
    open integer not null, own integer not null, primary key(dependent, dependency)) strict, without rowid;
  create index tasklane_edge_dependency on tasklane_edge(dependency, dependent);
  create index tasklane_edge_open on tasklane_edge(dependent) where open = 1;
  create table tasklane_share(child integer primary key, parent integer not null, weight real not null,
    fraction real not null, ended integer not null) strict;
  create table tasklane_shown(parent integer primary key, weight real not null, done real not null,
    total integer not null, ended integer not null, own integer not null) strict;
  create table tasklane_tag(key text not null, value text not null, task integer not null,
    primary key(key, value, task)) strict, without rowid;
  create table tasklane_counter(handler text not null, status integer not null, n integer not null,
    primary key(handler, status)) strict, without rowid;
  create table tasklane_attempt(task integer not null, attempt integer not null, worker_id text not null,
    started_at integer, finished_at integer, outcome text, error text, primary key(task, attempt)) without rowid;
  create table tasklane_log(task integer not null, line integer not null, at integer not null, level text not null,
    bytes integer not null, message text not null, primary key(task, line)) without rowid;
  create table tasklane_log_end(task integer primary key, line integer not null, lines integer not null,
    bytes integer not null) strict;
  create table tasklane_key(scope text not null, key text not null, task_id text not null, fingerprint text not null,
    expires_at integer not null, primary key(scope, key)) without rowid;
  create index tasklane_key_expires on tasklane_key(expires_at);
  create table tasklane_document(kind text not null, key text not null, version integer not null, due_at integer,
    expires_at integer, value text not null, primary key(kind, key)) without rowid;
  create index tasklane_document_due on tasklane_document(kind, due_at) where due_at is not null;
  create index tasklane_document_expires on tasklane_document(expires_at) where expires_at is not null;
  create table tasklane_worker(id text primary key, beats integer not null, info text not null) strict, without rowid;
  `,
];

/** The version this library writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * The schema version of a file; 0: it has none of our tables yet.
 * @throws {StorageNewerError}
 */
export function readVersion(database: Database, file: string): number {
  const table = database.get("select 1 from sqlite_master where type = 'table' and name = 'tasklane_meta'");
  if (table === undefined) return 0;
  const version = Number(database.get("select value from tasklane_meta where key = 'schema'")?.[0] ?? 0);
  if (version <= SCHEMA_VERSION) return version;
  throw new StorageNewerError(
    `${file} was written by a newer version of tasklane: its schema is ${version}, known is ${SCHEMA_VERSION}.`,
  );
}

/** Brings the schema to {@link SCHEMA_VERSION}; to be run in a write transaction. @throws {StorageNewerError} */
export function migrate(database: Database, file: string): void {
  const version = readVersion(database, file);
  if (version === 0)
    database.exec('create table if not exists tasklane_meta(key text primary key, value text not null)');
  for (const migration of MIGRATIONS.slice(version)) database.exec(migration);
  database.run("insert or replace into tasklane_meta(key, value) values('schema', ?)", String(SCHEMA_VERSION));
}
