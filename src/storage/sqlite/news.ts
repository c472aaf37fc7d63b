import type { Timer } from '../../time/clock.ts';
import type { Hint } from '../storage.ts';
import { Bell } from './bell.ts';
import { ChangesElsewhere } from './changes-elsewhere.ts';
import type { Connection } from './connection.ts';
import type { Transaction } from './transaction.ts';
import { nextRunAt } from './waits.ts';

const POLL_MS = 100;

interface Watcher {
  readonly onHint: (hint: Hint) => void;
  readonly changes: boolean;
}

/**
 * Tells what was written: our own commits in a microtask, those of other connections when the file's data version moved.
 * The log file rings for those within a millisecond where the system can watch it; the poll needs no such help.
 */
export class FileNews {
  readonly #watchers = new Set<Watcher>();
  #connection: Connection | null = null;
  #elsewhere: ChangesElsewhere | null = null;
  #dataVersion = 0;
  #timer: Timer | null = null;
  #bell: Bell | null = null;

  /** Whether somebody wants to hear of every task that changed. */
  get wantsChanges(): boolean {
    return this.#elsewhere !== null;
  }

  /** See `News.watch`. */
  watch(onHint: (hint: Hint) => void, { changes = false }: { readonly changes?: boolean } = {}): () => void {
    const watcher = { onHint, changes };
    this.#watchers.add(watcher);
    this.#arm();
    return () => {
      this.#watchers.delete(watcher);
      this.#arm();
    };
  }

  /** The file is open from now on. */
  start(connection: Connection): void {
    this.#connection = connection;
    this.#arm();
  }

  /** The file is about to be closed; watchers stay for the next time. */
  stop(): void {
    this.#disarm();
    this.#connection = null;
  }

  /** A transaction of our own was committed. */
  committed({ happened, now }: Transaction): void {
    if (this.#watchers.size === 0) return;
    this.#bell?.committed();
    const { common, changes } = happened.hints(now);
    if (common.length + changes.length > 0) queueMicrotask(() => this.#tell(common, changes));
  }

  #arm(): void {
    const connection = this.#connection;
    if (this.#watchers.size === 0 || connection === null) {
      this.#disarm();
      return;
    }
    if (this.#timer === null) {
      this.#dataVersion = connection.dataVersion();
      this.#poll(connection);
      this.#bell = new Bell(`${connection.file}-wal`, () => this.#look());
    }
    const wanted = [...this.#watchers].some(({ changes }) => changes);
    if (!wanted) this.#elsewhere = null;
    else this.#elsewhere ??= new ChangesElsewhere(connection.database, connection.clock.now());
  }

  #disarm(): void {
    this.#timer?.clear();
    this.#timer = null;
    this.#bell?.close();
    this.#bell = null;
    this.#elsewhere = null;
  }

  #poll(connection: Connection): void {
    this.#timer = connection.clock.after(POLL_MS, () => {
      this.#poll(connection);
      this.#look();
    });
  }

  /** Whether another connection wrote, and what that may mean. */
  #look(): void {
    const connection = this.#connection;
    if (connection === null) return;
    try {
      const version = connection.dataVersion();
      if (version === this.#dataVersion) return;
      this.#dataVersion = version;
      const common: Hint[] = [{ kind: 'queued', priority: null }, { kind: 'cancelling' }, { kind: 'control' }];
      const runAt = nextRunAt(connection.database);
      if (runAt !== null) common.push({ kind: 'due', ms: Math.max(0, runAt - connection.clock.now()) });
      this.#tell(common, this.#elsewhere?.take(connection.clock.now()) ?? []);
    } catch {
      // A hint may be lost; whoever asks the file next learns what is wrong with it.
    }
  }

  #tell(common: readonly Hint[], changes: readonly Hint[]): void {
    for (const watcher of [...this.#watchers]) {
      for (const hint of watcher.changes ? [...common, ...changes] : common) {
        try {
          watcher.onHint(hint);
        } catch {
          // One watcher's mistake must not reach the others, or whoever wrote.
        }
      }
    }
  }
}
