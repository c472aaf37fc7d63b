import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { MemoryStorage, type SubmitOptions, type TaskContext, type TaskRecord, type TaskStorage } from 'tasklane';
import { SqliteStorage } from 'tasklane/sqlite';
import { fakeClock } from 'tasklane/testing';
import { isFinal, STATUSES, type Status } from '../../src/task/status.ts';
import { type Gate, gate } from '../support/gate.ts';
import type { StorageName } from '../support/world.ts';
import type { HandlerName, Slot } from './commands.ts';
import { Host, type HostWorld } from './host.ts';
import { Ledger } from './ledger.ts';
import { endedBy, type Seen, startedBy, touched } from './line.ts';

/** Turns without a call of a storage until what was started has come as far as it can without time. */
const QUIET = 3;
const MOST_TURNS = 200;

/** A database that writes down each step of each task. */
const AUDIT = `
  create table audit(seq integer primary key, id text, old integer, new integer);
  create trigger audit_step after update on tasklane_task when old.version <> new.version begin
    insert into audit(id, old, new) values(new.id, old.status, new.status);
  end;`;

/** Two managers, one storage, one clock, and the ledger of all that is stored. */
export class ModelWorld implements HostWorld {
  readonly clock = fakeClock();
  readonly ledger = new Ledger();
  readonly hosts: Host[] = [];
  ending = false;
  /** How often somebody began, or ended, to end a pause. */
  resumes = 0;
  /** Those that are under way. */
  resuming = 0;
  /** Calls of the storages that were answered. */
  calls = 0;
  readonly #name: StorageName;
  readonly #listens: readonly [boolean, boolean];
  readonly #memory = new MemoryStorage();
  readonly #folder: string | null;
  readonly #own: TaskStorage;
  #audit: DatabaseSync | null = null;
  #audited = 0;
  readonly #runs = new Map<string, number[]>();
  /** Attempts whose start is on record, as `id attempt`. */
  readonly #starts = new Set<string>();
  /** What tasks run after; by id. */
  readonly #dependencies = new Map<string, readonly string[]>();
  /** Tasks with dependencies that started since it was looked whether those have ended. */
  readonly #began = new Set<string>();
  readonly #hanging = new Map<string, Gate[]>();
  readonly #onRejection = (reason: unknown): void => this.problem(`unhandled rejection: ${String(reason)}`);

  /** @param listens whether somebody listens to the events of each manager */
  constructor(name: StorageName, listens: readonly [boolean, boolean]) {
    this.#name = name;
    this.#listens = listens;
    const root = process.platform === 'linux' ? '/dev/shm' : tmpdir(); // what is lost with the power is not looked at here
    this.#folder = name === 'sqlite' ? mkdtempSync(join(root, 'tasklane-model-')) : null;
    this.#own = this.#connect();
  }

  async open(): Promise<void> {
    process.on('unhandledRejection', this.#onRejection);
    await this.#own.open({ clock: this.clock });
    if (this.#folder === null) return;
    this.#audit = new DatabaseSync(this.#file);
    this.#audit.exec(AUDIT);
  }

  async end(): Promise<void> {
    process.off('unhandledRejection', this.#onRejection);
    for (const { storage } of this.hosts) await storage.close();
    await this.#own.close();
    this.#audit?.close();
    if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true });
  }

  get exact(): boolean {
    return this.#audit !== null;
  }

  problem(what: string): void {
    if (this.ledger.problems.length < 20) this.ledger.problems.push(what);
  }

  // ---- the managers ---------------------------------------------------------------------------------------------------

  /** The newest manager of this slot, which may be closed or dead. */
  host(slot: Slot): Host | undefined {
    return this.hosts.findLast((host) => host.slot === slot);
  }

  /** A manager of this slot that takes calls; a new one when the last is closed or dead. */
  living(slot: Slot): Host {
    const last = this.host(slot);
    if (last?.lives) return last;
    const host = new Host(this, slot, this.#connect(), this.#listens[slot]);
    this.hosts.push(host);
    host.manager.start().catch(() => {}); // a fault; it is tried again at the end
    return host;
  }

  /** What was paused may run now. */
  resumed(): void {
    this.resumes++;
    for (const { paused } of this.hosts) paused.clear();
  }

  // ---- what hosts tell ------------------------------------------------------------------------------------------------

  async seen(seen: Seen): Promise<void> {
    this.calls++;
    const ids = touched(seen);
    if (ids.length === 0) return;
    const tasks = await this.#own.get(ids, { archived: true });
    this.#readAudit();
    for (const task of tasks) if (task !== null) this.ledger.see(task, this.exact);
    for (const id of endedBy(seen)) this.ledger.ended(id);
    for (const id of startedBy(seen)) this.#starts.add(`${id} ${this.ledger.record(id)?.attempt}`);
  }

  runs(host: Host, { task }: TaskContext): number {
    const runs = this.#runs.get(task.id) ?? [];
    this.#runs.set(task.id, runs);
    if (runs.includes(task.attempt)) this.problem(`${task.id}: attempt ${task.attempt} started twice`);
    if (task.attempt <= (host.over.get(task.id) ?? 0)) {
      this.problem(`${task.id}: attempt ${task.attempt} started after its manager had cancelled or settled it`);
    }
    if (host.paused.has(null) || host.paused.has(task.handler as HandlerName)) {
      this.problem(`${task.id}: ${task.handler} started although it was paused`);
    }
    if (runs.length === 0 && this.#dependencies.has(task.id)) this.#began.add(task.id);
    return runs.push(task.attempt) - 1;
  }

  letGo(taskId: string): Promise<void> {
    const one = gate();
    if (this.ending) one.open();
    else this.#hanging.set(taskId, [...(this.#hanging.get(taskId) ?? []), one]);
    return one.opened;
  }

  /** @param taskId undefined: all */
  letGoOf(taskId: string | undefined): void {
    for (const [id, gates] of this.#hanging) {
      if (taskId !== undefined && id !== taskId) continue;
      this.#hanging.delete(id);
      for (const { open } of gates) open();
    }
  }

  /** @param dependencies none, when it was told to run all the same */
  dependsOn(id: string, dependencies: SubmitOptions['dependsOn'] = []): void {
    const ids = dependencies.map((one) => (typeof one === 'string' ? one : one.id));
    if (ids.length > 0) this.#dependencies.set(id, ids);
    else this.#dependencies.delete(id);
  }

  /** Nothing waits for tasks that have all ended, and nothing has started before they had. */
  async checkWaiting(): Promise<void> {
    if (this.#dependencies.size === 0) return;
    const tasks = new Map((await this.all()).map((task) => [task.id, task]));
    for (const [id, dependencies] of this.#dependencies) {
      const waits = tasks.get(id)?.status === 'waiting';
      if (waits && dependencies.every((one) => isFinal(tasks.get(one)?.status ?? 'queued'))) {
        this.problem(`${id}: waits, although all that it depends on have ended`);
      }
      const early = this.#began.has(id) ? dependencies.filter((one) => !this.ledger.hasEnded(one)) : [];
      if (early.length > 0) this.problem(`${id}: started before ${early.join(', ')} had ended`);
    }
    this.#began.clear();
  }

  hasRun(id: string, attempt: number): boolean {
    return this.#runs.get(id)?.includes(attempt) ?? false;
  }

  hasStart(id: string, attempt: number): boolean {
    return this.#starts.has(`${id} ${attempt}`);
  }

  // ---- time and the whole picture -------------------------------------------------------------------------------------

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    let quiet = 0;
    for (let turn = 0; quiet < QUIET && turn < MOST_TURNS; turn++) {
      const { calls } = this;
      await new Promise((resolve) => setImmediate(resolve));
      const busy = this.hosts.some(({ line }) => line.busy > 0);
      quiet = calls === this.calls && !busy ? quiet + 1 : 0;
    }
  }

  /** Every task as it is stored. */
  async all(): Promise<readonly TaskRecord[]> {
    const { items } = await this.#own.list({
      where: [[{ archived: 'both' }]],
      sort: 'id',
      descending: false,
      limit: 1_000,
      payloads: true,
    });
    this.#readAudit();
    for (const task of items) this.ledger.see(task, this.exact);
    return items;
  }

  /** Answers to what only the storage knows. */
  get storage(): TaskStorage {
    return this.#own;
  }

  #connect(): TaskStorage {
    return this.#name === 'memory' ? this.#memory : new SqliteStorage(this.#file);
  }

  get #file(): string {
    return join(this.#folder ?? '', 'tasks.db');
  }

  #readAudit(): void {
    const rows = this.#audit
      ?.prepare('select seq, id, old, new from audit where seq > ? order by seq')
      .all(this.#audited);
    for (const { seq, id, old, new: to } of rows ?? []) {
      this.#audited = Number(seq);
      this.ledger.step(String(id), STATUSES[Number(old)] as Status, STATUSES[Number(to)] as Status);
    }
  }
}
