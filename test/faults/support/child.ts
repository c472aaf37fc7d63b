import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Line, monotonic, readJournal } from './journal.ts';
import type { Command, Commands, Notice, Request, WorkerConfig } from './messages.ts';

const WORKER = join(import.meta.dirname, '..', 'worker.ts');

/** How a child ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Asked of a child that is no more. */
export class ChildGone extends Error {
  override readonly name = 'ChildGone';
}

type Settle = { readonly resolve: (value: never) => void; readonly reject: (error: Error) => void };
type Expected = Settle & { readonly fits: (notice: Notice) => boolean };

/** A child process, as its parent sees it. */
export class Child {
  readonly pid: number;
  /** Everything it told, but for answers. */
  readonly notices: Notice[] = [];
  readonly exited: Promise<Exit>;
  /** When it was sent its SIGKILL, by the monotonic clock; null: it was not. */
  killedAt: number | null = null;
  readonly #process: ChildProcess;
  readonly #asked = new Map<number, Settle>();
  readonly #expected = new Set<Expected>();
  #requests = 0;
  #gone = false;

  constructor(config: WorkerConfig) {
    this.#process = fork(WORKER, [JSON.stringify(config)], {
      // Not what the test runner was started with.
      execArgv: ['--conditions=tasklane-source', '--disable-warning=ExperimentalWarning'],
      serialization: 'advanced',
      env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache') },
    });
    this.pid = this.#process.pid ?? 0;
    this.#process.on('message', (notice: Notice) => this.#hear(notice));
    // What it told before it died is still in the channel when it exits: `disconnect` comes behind that.
    const silent = new Promise<void>((resolve) => this.#process.once('disconnect', () => resolve()));
    this.exited = new Promise<Exit>((resolve, reject) => {
      this.#process.once('error', reject);
      this.#process.once('exit', (code, signal) => void silent.then(() => resolve({ code, signal })));
    });
    void silent.then(() => this.#end());
  }

  /** Asks for a command. @throws {ChildGone} when it dies before it answers */
  ask<C extends Command>(command: C, ...args: Parameters<Commands[C]>): ReturnType<Commands[C]> {
    const answer = new Promise((resolve, reject) => {
      if (this.#gone) {
        reject(new ChildGone(`${command}: the process has ended`));
        return;
      }
      const id = ++this.#requests;
      this.#asked.set(id, { resolve: resolve as (value: never) => void, reject });
      const request: Request = { id, command, args };
      this.#process.send(request, () => {}); // a failure shows in the process's end
    });
    return heeded(answer) as ReturnType<Commands[C]>;
  }

  /** Waits until it tells this; also what it has told already. @throws {ChildGone} when it dies before */
  told<K extends Notice['kind']>(
    kind: K,
    fits: (notice: Extract<Notice, { kind: K }>) => boolean = () => true,
  ): Promise<Extract<Notice, { kind: K }>> {
    const matches = (notice: Notice): boolean => notice.kind === kind && fits(notice as Extract<Notice, { kind: K }>);
    const before = this.notices.find(matches);
    const told = new Promise<Extract<Notice, { kind: K }>>((resolve, reject) => {
      if (before !== undefined) resolve(before as Extract<Notice, { kind: K }>);
      else if (this.#gone) reject(new ChildGone(`${kind}: the process has ended`));
      else this.#expected.add({ fits: matches, resolve: resolve as (value: never) => void, reject });
    });
    return heeded(told);
  }

  /** `hold` and `stop` tasks tell that they began. */
  async began(taskId: string): Promise<number> {
    return (await this.told('began', (notice) => notice.taskId === taskId)).attempt;
  }

  kill(): Promise<Exit> {
    this.killedAt ??= monotonic();
    this.#process.kill('SIGKILL');
    return this.exited;
  }

  /** Wakes it after a SIGSTOP. */
  wake(): void {
    this.#process.kill('SIGCONT');
  }

  /** Closes its manager, and waits for it to end by itself. */
  async close(timeoutMs?: number): Promise<Exit> {
    await this.ask('close', timeoutMs);
    return this.exited;
  }

  #hear(notice: Notice): void {
    if (notice.kind === 'answer') {
      const asked = this.#asked.get(notice.id);
      this.#asked.delete(notice.id);
      if (notice.error === undefined) asked?.resolve(notice.value as never);
      else asked?.reject(new Error(notice.error));
      return;
    }
    this.notices.push(notice);
    for (const expected of this.#expected) {
      if (!expected.fits(notice)) continue;
      this.#expected.delete(expected);
      expected.resolve(notice as never);
    }
  }

  #end(): void {
    this.#gone = true;
    const gone = new ChildGone('the process ended first');
    for (const { reject } of [...this.#asked.values(), ...this.#expected]) reject(gone);
    this.#asked.clear();
    this.#expected.clear();
  }
}

/** A test may kill a child before it looks at what it asked of it. */
function heeded<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** A folder with a database and a journal, and the processes that share them. */
export class Stage {
  readonly folder = mkdtempSync(join(tmpdir(), 'tasklane-faults-'));
  readonly file = join(this.folder, 'tasks.db');
  readonly #journal = join(this.folder, 'journal.jsonl');
  readonly children: Child[] = [];

  child(config: Omit<WorkerConfig, 'file' | 'journal'> = {}): Child {
    const child = new Child({ ...config, file: this.file, journal: this.#journal });
    this.children.push(child);
    return child;
  }

  journal(): readonly Line[] {
    return readJournal(this.#journal);
  }

  /** Ends what still lives, stopped or not, and removes the folder. */
  async clear(): Promise<void> {
    await Promise.all(this.children.map((child) => child.kill()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}
