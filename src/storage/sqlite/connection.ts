import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { StorageError, StorageReadonlyError, type TasklaneError } from '../../errors.ts';
import type { Clock } from '../../time/clock.ts';
import { Database } from './database.ts';
import { cannotOpen, toStorageError } from './failures.ts';
import { whenUnlocked } from './retry.ts';
import { migrate, readVersion, SCHEMA_VERSION } from './schema.ts';
import { HAS_METADATA, HAS_TEXT, hasKey, hasText, IS_JSON, isJson } from './search.ts';

/** Of a new file. A lone submit and its end write seven pages, mostly for a few bytes each: small ones are copied faster. */
const PAGE_BYTES = 2_048;
/**
 * How large the log grows before it is copied back: less costs throughput, for each time waits for the disk; more makes a
 * commit wait.
 */
const CHECKPOINT_BYTES = 8_388_608;
/** What a log that a long reader let grow is cut back to. */
const LOG_BYTES = 67_108_864;

/** How a file is opened. */
export interface ConnectionOptions {
  readonly synchronous: 'normal' | 'full';
  readonly clock: Clock;
  /** Opened before. */
  readonly database: Database | null;
}

/** An open file whose schema is up to date. */
export class Connection {
  readonly database: Database;
  /** The path, as messages name it. */
  readonly file: string;
  readonly clock: Clock;

  private constructor(database: Database, file: string, clock: Clock) {
    this.database = database;
    this.file = file;
    this.clock = clock;
  }

  /** Opens the file, makes it where it is missing, and brings its schema up to date. @throws {StorageError} */
  static async open(file: string, options: ConnectionOptions): Promise<Connection> {
    const { synchronous, clock } = options;
    if (options.database !== null) return new Connection(options.database, file, clock);
    let database: Database | undefined;
    try {
      const opened = new Database(file);
      database = opened;
      await whenUnlocked(clock, file, () => {
        opened.exec(`pragma page_size = ${PAGE_BYTES}`); // without effect where there is a file already
        opened.exec('pragma journal_mode = wal');
        opened.exec(`pragma synchronous = ${synchronous}`);
        const pageBytes = opened.get('pragma page_size')?.[0] as number;
        opened.exec(`pragma wal_autocheckpoint = ${Math.floor(CHECKPOINT_BYTES / pageBytes)}`);
        opened.exec(`pragma journal_size_limit = ${LOG_BYTES}`);
      });
      const version = await whenUnlocked(clock, file, () => readVersion(opened, file));
      // Two processes may find a new file at once: the one that gets the lock later finds the work done.
      if (version < SCHEMA_VERSION) await whenUnlocked(clock, file, () => upgrade(opened, file));
      opened.define(HAS_TEXT, hasText);
      opened.define(IS_JSON, isJson);
      opened.define(HAS_METADATA, hasKey);
      return new Connection(opened, file, clock);
    } catch (error) {
      database?.close();
      throw cannotOpen(error) ? cannotOpenError(error, file) : toStorageError(error, file);
    }
  }

  /** Moves with every commit of another connection, and stays with our own. */
  dataVersion(): number {
    return this.database.get('pragma data_version')?.[0] as number;
  }

  /**
   * Runs reads that belong together.
   * @throws {StorageError}
   */
  async read<T>(work: (database: Database) => T): Promise<T> {
    try {
      return await whenUnlocked(this.clock, this.file, () => work(this.database));
    } catch (error) {
      throw toStorageError(error, this.file);
    }
  }

  /** The same, all of one moment although there are several statements. */
  readTogether<T>(work: (database: Database) => T): Promise<T> {
    return this.read((database) => {
      if (database.inTransaction) return work(database);
      database.run('begin');
      try {
        return work(database);
      } finally {
        database.run('commit');
      }
    });
  }

  /** Lets go of the file. */
  close(): void {
    this.database.close();
  }
}

function upgrade(database: Database, file: string): void {
  database.run('begin immediate');
  try {
    migrate(database, file);
    database.run('commit');
  } finally {
    if (database.inTransaction) database.run('rollback');
  }
}

/** SQLite says only that it cannot open a file; whoever reads the error wants to know why. */
function cannotOpenError(error: unknown, file: string): TasklaneError {
  const folder = dirname(file);
  const cause = { cause: error };
  if (!existsSync(folder)) return new StorageError(`${file} cannot be opened: there is no folder ${folder}.`, cause);
  if (!existsSync(file)) {
    if (may(folder, constants.W_OK)) return toStorageError(error, file);
    return new StorageReadonlyError(`${file} cannot be made: the folder ${folder} may only be read.`, cause);
  }
  if (statSync(file).isDirectory()) return new StorageError(`${file} cannot be opened: it is a folder.`, cause);
  if (!may(file, constants.R_OK)) return new StorageReadonlyError(`${file} may not be read.`, cause);
  const closed = [file, folder].find((place) => !may(place, constants.W_OK));
  if (closed === undefined) return toStorageError(error, file);
  return new StorageReadonlyError(`${file} cannot be opened: ${closed} may only be read.`, cause);
}

function may(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
