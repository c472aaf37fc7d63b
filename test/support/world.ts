import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AnyTask,
  type Clock,
  MemoryStorage,
  TaskManager,
  type TaskManagerOptions,
  type TaskStorage,
  type Timer,
} from 'tasklane';
import { SqliteStorage } from 'tasklane/sqlite';
import { type FakeClock, fakeClock } from 'tasklane/testing';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { systemClock } from '../../src/time/clock.ts';
import { type Mute, mute } from './mute.ts';

/** The storages that behaviour is tested on. */
const STORAGES = ['memory', 'sqlite'] as const;
export type StorageName = (typeof STORAGES)[number];

/** What one test has to itself: a storage, a clock that stands still, and managers that are closed at its end. */
export interface World {
  readonly storageName: StorageName;
  /** Of all managers that are not told otherwise. It stands still. */
  readonly clock: FakeClock;
  /** A way to the tasks: on SQLite a connection of its own, on memory the same object. */
  connect(): TaskStorage;
  /** The same, but it can be made to hang or to fail, until the end of the test. `deaf`: every hint is lost. */
  mute(options?: { readonly deaf: boolean }): Mute;
  /** Not started yet. With the world's clock and, unless given, a connection of its own. */
  manager<const Handlers extends readonly AnyTask[]>(options: TaskManagerOptions<Handlers>): TaskManager<Handlers>;
  /** Started. */
  start<const Handlers extends readonly AnyTask[]>(
    options: TaskManagerOptions<Handlers>,
  ): Promise<TaskManager<Handlers>>;
  /** Takes the warnings that went to the process, so that they do not fail the test. */
  takeProcessWarnings(): Promise<readonly Error[]>;
}

/** Runs the same tests on each storage. @param define is given a way to the world of the running test */
export function onEachStorage(name: string, define: (world: World) => void): void {
  for (const storageName of STORAGES) {
    describe(`${name} [${storageName}]`, () => {
      define(useWorld(storageName));
    });
  }
}

/** A fresh world for each test of the suite, whose end is checked: no timer, no open file, no unheard error. */
export function useWorld(storageName: StorageName): World {
  let current: OneWorld | null = null;
  const world = (): OneWorld => {
    if (current === null) throw new Error('A world is there only while a test runs.');
    return current;
  };
  beforeEach(() => {
    current = new OneWorld(storageName);
  });
  afterEach(async () => {
    const ended = world();
    current = null;
    await ended.end();
  });
  return {
    storageName,
    get clock() {
      return world().clock;
    },
    connect: () => world().connect(),
    mute: (options) => world().mute(options),
    manager: (options) => world().manager(options),
    start: async (options) => {
      const manager = world().manager(options);
      await manager.start();
      return manager;
    },
    takeProcessWarnings: () => world().takeProcessWarnings(),
  };
}

class OneWorld {
  readonly clock: FakeClock;
  readonly #storageName: StorageName;
  readonly #memory = new MemoryStorage();
  readonly #folder = mkdtempSync(join(tmpdir(), 'tasklane-'));
  readonly #managers: TaskManager[] = [];
  readonly #mutes: Mute[] = [];
  readonly #timers = new Set<Waiting>();
  readonly #real = counted(systemClock, this.#timers);
  #warnings: Error[] = [];
  readonly #onWarning = (warning: Error): void => {
    if (warning.name === 'TasklaneWarning') this.#warnings.push(warning);
  };

  constructor(storageName: StorageName) {
    this.#storageName = storageName;
    const clock = fakeClock();
    this.clock = { ...clock, ...counted(clock, this.#timers) };
    process.on('warning', this.#onWarning);
  }

  connect(): TaskStorage {
    return this.#storageName === 'memory' ? this.#memory : new SqliteStorage(join(this.#folder, 'tasks.db'));
  }

  mute({ deaf } = { deaf: false }): Mute {
    const link = mute(this.connect(), deaf);
    this.#mutes.push(link);
    return link;
  }

  manager<const Handlers extends readonly AnyTask[]>(options: TaskManagerOptions<Handlers>): TaskManager<Handlers> {
    const clock = options.clock === systemClock ? this.#real : (options.clock ?? this.clock);
    const manager = new TaskManager<Handlers>({ storage: this.connect(), ...options, clock });
    this.#managers.push(manager as unknown as TaskManager);
    return manager;
  }

  async takeProcessWarnings(): Promise<readonly Error[]> {
    await new Promise((resolve) => setImmediate(resolve)); // they are told in a tick of their own
    const taken = this.#warnings;
    this.#warnings = [];
    return taken;
  }

  async end(): Promise<void> {
    try {
      for (const link of this.#mutes) link.wake();
      // Whatever a test left running is given up: its handlers are the test's own business.
      const closing = Promise.all(this.#managers.map((manager) => manager.close({ timeout: 0 })));
      const over = closing.then(() => true);
      while (!(await Promise.race([over, this.clock.advance('1s').then(() => false)])));
      await closing;
      expect(await this.takeProcessWarnings(), 'unheard errors').toEqual([]);
      const timers = [...this.#timers].map(({ ms, setBy }) => `${ms} ms ${setBy}`);
      expect(timers, 'timers that outlived their managers').toEqual([]);
      expect(openFiles(this.#folder), 'files that outlived their managers').toEqual([]);
    } finally {
      process.off('warning', this.#onWarning);
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }
}

interface Waiting extends Timer {
  readonly ms: number;
  readonly setBy: string;
}

/** A clock whose timers are counted while they wait. */
function counted(clock: Clock, waiting: Set<Waiting>): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after(ms, callback, hold) {
      const inner = clock.after(
        ms,
        () => {
          waiting.delete(timer);
          callback();
        },
        hold,
      );
      const timer: Waiting = {
        ms,
        setBy: new Error().stack?.split('\n')[2]?.trim() ?? '',
        clear() {
          waiting.delete(timer);
          inner.clear();
        },
      };
      waiting.add(timer);
      return timer;
    },
  };
}

/** Files below a folder that this process holds open, where the system tells. */
function openFiles(folder: string): readonly string[] {
  let handles: readonly string[];
  try {
    handles = readdirSync('/proc/self/fd');
  } catch {
    return []; // not Linux
  }
  return handles.flatMap((handle) => {
    try {
      const file = readlinkSync(`/proc/self/fd/${handle}`);
      return file.startsWith(folder) ? [file] : [];
    } catch {
      return []; // the handle that listed the handles
    }
  });
}
