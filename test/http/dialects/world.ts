import { type AnyTask, MemoryStorage, type Principal, TaskManager, type TaskRecord } from 'tasklane';
import { createHandler, type Dialect, type HandlerOptions, type TaskHandler } from 'tasklane/http';
import { type FakeClock, fakeClock, waitFor } from 'tasklane/testing';
import { controlled } from '../../support/controlled.ts';
import { storedTask } from '../../support/stored-task.ts';

/** Whoever sends `Bearer <name>`, or basic credentials with that user name or password. */
const PRINCIPALS: Readonly<Record<string, Principal>> = {
  owner: { id: 'owner' },
  stranger: { id: 'stranger' },
  admin: { id: 'admin', admin: true },
  reader: { id: 'reader' },
};

/** The app's one way to know who asks, whichever API he speaks. */
function authenticate(request: Request): Principal | null {
  const [, scheme = '', value = ''] = /^(\w+) +(\S+)$/.exec(request.headers.get('authorization') ?? '') ?? [];
  const names = scheme === 'Basic' ? Buffer.from(value, 'base64').toString().split(':') : [value];
  const name = names.find((one) => Object.hasOwn(PRINCIPALS, one));
  return name === undefined ? null : (PRINCIPALS[name] ?? null);
}

/** What a task can be like. The last one has its handler paused: none can run behind it. */
export const STATES = [
  'waiting',
  'held',
  'scheduled',
  'running',
  'progressed',
  'cancelling',
  'succeeded',
  'empty',
  'silent',
  'failed',
  'lost',
  'cancelled',
  'expired',
  'queued',
] as const;
/** `none`: there is none. */
export type State = (typeof STATES)[number] | 'none';

/** A request in process. */
export interface Asked {
  readonly method?: string;
  /** Null: without a credential. */
  readonly as?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Where requests in process go to. */
export const ORIGIN = 'http://tasks.test';

/** A manager on a clock that stands still, whose tasks are `owner`'s, behind dialects. */
export class DialectWorld {
  readonly #fake = fakeClock();
  #jumped = 0;
  readonly clock: FakeClock = { ...this.#fake, now: () => this.#fake.now() + this.#jumped };
  readonly storage = new MemoryStorage();
  readonly reindex = controlled('reindex');
  readonly manager: TaskManager;
  readonly handler: TaskHandler;

  private constructor(dialects: readonly Dialect[], options: HandlerOptions) {
    this.manager = new TaskManager({
      handlers: [this.reindex] as unknown as readonly AnyTask[],
      storage: this.storage,
      clock: this.clock,
      concurrency: 100,
    });
    this.handler = createHandler(this.manager, { authenticate, dialects, ...options });
  }

  static async open(dialects: readonly Dialect[], options: HandlerOptions = {}): Promise<DialectWorld> {
    const world = new DialectWorld(dialects, options);
    await world.manager.start();
    return world;
  }

  /** Days go by in which nothing happens: only the wall clock moves. */
  jump(ms: number): void {
    this.#jumped += ms;
  }

  ask(path: string, { method = 'GET', as = 'owner', headers = {}, body }: Asked = {}): Promise<Response> {
    const url = path.startsWith('http') ? path : ORIGIN + path;
    const credential: Record<string, string> = as === null ? {} : { authorization: `Bearer ${as}` };
    return this.handler(
      new Request(url, { method, headers: { ...credential, ...headers }, ...(body === undefined ? {} : { body }) }),
    );
  }

  /** A task of the owner in that state. */
  async seed(state: Exclude<State, 'none'>): Promise<TaskRecord> {
    const { manager, clock, reindex } = this;
    if (state === 'waiting') return this.#waiting();
    const options = {
      submittedBy: 'owner',
      ...(state === 'held' ? { hold: true } : {}),
      ...(state === 'scheduled' ? { delay: '1h' as const } : {}),
      ...(state === 'expired' ? { startBy: '1s' as const } : {}),
    };
    const rests = state === 'queued' || state === 'cancelled' || state === 'expired';
    if (rests) await manager.pause('reindex');
    const { id } = await manager.submit('reindex', { folder: 'docs' }, options);
    if (state === 'cancelled') await manager.cancel(id, 'no longer needed');
    if (state === 'expired') await clock.advance('10s');
    if (rests || state === 'held' || state === 'scheduled') {
      const task = await this.#now(id);
      if (state !== 'queued' && rests) await manager.resume('reindex');
      return task;
    }
    const run = await reindex.next();
    await clock.advance('1s');
    if (state === 'running') return this.#now(id);
    if (state === 'silent') {
      run.finish();
      return waitFor(manager, id, 'succeeded');
    }
    run.context.progress({ processed: 5, total: 10, message: 'Reticulating splines' });
    await clock.advance('1s');
    if (state === 'cancelling') {
      await manager.cancel(id, 'no longer needed');
      return this.#now(id);
    }
    if (state === 'succeeded') run.finish({ files: 10 });
    if (state === 'empty') run.finish();
    if (state === 'failed') run.fail(new Error('no folder docs'));
    if (state === 'lost') run.fail(Object.assign(new Error('its process died too often'), { code: 'lost' }));
    if (state === 'progressed') return this.#now(id);
    return waitFor(manager, id, ['succeeded', 'failed']);
  }

  async close(): Promise<void> {
    for (const run of this.reindex.runs) run.finish();
    await this.handler.close();
    const closing = this.manager.close({ timeout: 0 });
    await this.clock.advance('1m');
    await closing;
  }

  async #now(id: string): Promise<TaskRecord> {
    const task = await this.manager.get(id);
    if (task === null) throw new Error(`Task ${id} has gone.`);
    return task;
  }

  /** What flows make; here without the tasks it waits for. */
  async #waiting(): Promise<TaskRecord> {
    const now = this.clock.now();
    const id = `task_${'0'.repeat(26)}W`;
    const times = { createdAt: now, updatedAt: now, queuedAt: null };
    const record = storedTask({ id, handler: 'reindex', status: 'waiting', submittedBy: 'owner', ...times });
    await this.storage.insert([{ record, maxLost: 3 }]);
    return this.#now(id);
  }
}
