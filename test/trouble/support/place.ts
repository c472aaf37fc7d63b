import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AnyTask,
  type Clock,
  MemoryStorage,
  TaskManager,
  type TaskManagerOptions,
  type TaskStorage,
} from 'tasklane';
import { SqliteStorage } from 'tasklane/sqlite';
import { expect } from 'vitest';
import type { StorageName } from '../../support/world.ts';
import { type TroubledClock, troubledClock } from './clock.ts';

/** Where trouble happens: a folder, a clock, and managers whose errors and warnings are written down. */
export interface Place {
  readonly clock: TroubledClock;
  readonly file: string;
  /** Codes of the errors that nobody could be thrown at. */
  readonly errors: string[];
  /** Codes of the warnings. */
  readonly warnings: string[];
  /** Started, on the storage of this place unless told otherwise. */
  start<const Handlers extends readonly AnyTask[]>(
    options: TaskManagerOptions<Handlers>,
  ): Promise<TaskManager<Handlers>>;
  connect(): TaskStorage;
}

/** Lends a place, and sees to it that all managers close at its end and that nobody was left unheard. */
export async function withPlace(
  use: (place: Place) => Promise<void>,
  { storage = 'sqlite', folder }: { readonly storage?: StorageName; readonly folder?: string } = {},
): Promise<void> {
  const own = folder ?? mkdtempSync(join(tmpdir(), 'tasklane-trouble-'));
  const clock = troubledClock();
  const managers: TaskManager[] = [];
  const memory = new MemoryStorage();
  const place: Place = {
    clock,
    file: join(own, 'tasks.db'),
    errors: [],
    warnings: [],
    connect: () => (storage === 'memory' ? memory : new SqliteStorage(place.file)),
    start: async <const Handlers extends readonly AnyTask[]>(options: TaskManagerOptions<Handlers>) => {
      const defaults: { storage: TaskStorage; clock: Clock } = { storage: place.connect(), clock };
      const manager = new TaskManager<Handlers>({ ...defaults, ...options });
      managers.push(manager as unknown as TaskManager);
      manager.on('error', ({ error }) => place.errors.push(codeOf(error)));
      manager.on('warning', ({ code }) => place.warnings.push(code));
      await inTime(clock, manager.start());
      return manager;
    },
  };
  const rejections: unknown[] = [];
  const onRejection = (reason: unknown): number => rejections.push(reason);
  process.on('unhandledRejection', onRejection);
  try {
    await use(place);
    expect(rejections).toEqual([]);
  } finally {
    await inTime(clock, Promise.all(managers.map((manager) => manager.close({ timeout: 0 }))));
    process.off('unhandledRejection', onRejection);
    if (folder === undefined) rmSync(own, { recursive: true, force: true });
  }
}

/** The stable code of an error, or its text. */
function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : String(error);
}

/** Lets time go by until it is settled. */
export async function inTime<T>(clock: TroubledClock, promise: Promise<T>): Promise<T> {
  let over = false;
  const end = (): void => {
    over = true;
  };
  promise.then(end, end);
  for (let second = 0; second < 300 && !over; second++) await clock.advance(second === 0 ? 0 : 1_000);
  if (!over) throw new Error('It is not settled after 5 minutes.');
  return promise;
}
