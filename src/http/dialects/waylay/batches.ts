import type { JsonValue } from '../../../task/json.ts';
import type { Caller } from '../../caller.ts';
import type { HttpContext } from '../../context.ts';
import { HttpProblem } from '../../problem.ts';
import type { BatchAction, BatchRequest } from './batch.ts';
import { BATCH, BatchRun, type BatchState, KEPT_MS, SILENT_MS, STATE, type StoredBatch } from './batch-run.ts';
import type { Entities } from './entities.ts';
import { propertiesOf } from './properties.ts';
import type { JsonObject } from './specification.ts';

/** How a batch stands, as it is answered. */
interface Batch {
  readonly id: string;
  readonly user: string;
  readonly operation: { readonly entity: 'task'; readonly action: string; readonly description: string };
  /** Epoch ms. */
  readonly queueTime: number;
  readonly finishedTime?: number;
  readonly results?: {
    readonly success: Readonly<Record<string, { readonly statusCode: number }>>;
    readonly failure: Readonly<Record<string, { readonly statusCode: number; readonly error: string }>>;
  };
}

/** Does the same with many tasks, and keeps what became of each. What a process that died began, the next one asked ends. */
export class Batches {
  readonly #context: HttpContext;
  readonly #entities: Entities;
  /** Those that run here. */
  readonly #running = new Set<string>();

  constructor(context: HttpContext, entities: Entities) {
    this.#context = context;
    this.#entities = entities;
  }

  /** Begins one; it goes on by itself. @param ids what it is about */
  async begin(
    caller: Caller,
    user: string,
    { action, parameters }: BatchRequest,
    ids: readonly string[],
  ): Promise<Batch> {
    const { kept, now, drawId } = this.#context.inside;
    const batch: StoredBatch = { user, action, parameters, ids, queueTime: now() };
    const state: BatchState = { done: 0, failures: [], beatAt: batch.queueTime, finishedTime: null };
    const id = drawId().slice(this.#context.inside.idPrefix.length);
    await kept.put(BATCH, id, stored(batch), KEPT_MS);
    const version = await kept.put(STATE, id, stored(state), KEPT_MS);
    this.#run(caller, id, batch, state, version ?? 0, false);
    return shown(id, batch, state);
  }

  /**
   * How one stands. Where nobody runs it any more, it goes on here, with the rights of whoever began it: when he asks.
   * @throws {HttpProblem} 404 also for somebody else's
   */
  async get(caller: Caller, user: string, id: string): Promise<Batch> {
    const { kept, now } = this.#context.inside;
    const [batch, state] = await Promise.all([kept.get(BATCH, id), kept.get(STATE, id)]);
    const begun = batch?.value as StoredBatch | undefined;
    if (begun === undefined || state === null || (caller.scope !== null && begun.user !== user)) {
      throw new HttpProblem('task_not_found', `No batch operation with id '${id.slice(0, 200)}'`);
    }
    const at = state.value as unknown as BatchState;
    const isLeft = at.finishedTime === null && !this.#running.has(id) && now() - at.beatAt > SILENT_MS;
    if (isLeft && begun.user === user) {
      const version = await kept.put(STATE, id, stored({ ...at, beatAt: now() }), KEPT_MS, state.version);
      if (version !== null) this.#run(caller, id, begun, at, version, true);
    }
    return shown(id, begun, at);
  }

  #run(caller: Caller, id: string, batch: StoredBatch, state: BatchState, version: number, goesOn: boolean): void {
    this.#running.add(id);
    new BatchRun(this.#context.inside, id, batch, state, version, goesOn)
      .run((task) => this.#do(caller, batch.action, batch.parameters, task))
      .catch(() => {}) // the storage fails or is closed: whoever is asked next goes on
      .finally(() => this.#running.delete(id));
  }

  async #do(caller: Caller, action: BatchAction, parameters: JsonObject, id: string): Promise<void> {
    const found = await this.#entities.find(caller, id);
    switch (action) {
      case 'start':
        await this.#entities.start(caller, found);
        return;
      case 'stop':
        await this.#entities.stop(caller, found);
        return;
      case 'restart':
      case 'reload':
        return this.#entities.restart(caller, found);
      case 'delete':
      case 'stopAndDelete':
        return this.#entities.remove(caller, found, action === 'stopAndDelete');
      case 'updateProperties':
        return this.#entities.update(caller, found, propertiesOf(parameters));
      default:
        this.#entities.checkUpdate(caller, found); // no task of ours has plugins that could be updated
    }
  }
}

/** With what became of each, once it is done. */
function shown(
  id: string,
  { user, action, ids, queueTime }: StoredBatch,
  { failures, finishedTime }: BatchState,
): Batch {
  const removes = action === 'delete' || action === 'stopAndDelete';
  const description = `${action} of ${ids.length} ${ids.length === 1 ? 'task' : 'tasks'}`;
  const operation = { entity: 'task', action: removes ? 'delete' : action, description } as const;
  const batch = { id, user, operation, queueTime };
  if (finishedTime === null) return batch;
  const failed = new Map(failures.map(([index, statusCode, error]) => [index, { statusCode, error }]));
  const success = ids.flatMap((task, index) => (failed.has(index) ? [] : [[task, { statusCode: 200 }] as const]));
  const failure = [...failed].map(([index, why]) => [ids[index] ?? '', why] as const);
  return {
    ...batch,
    finishedTime,
    results: { success: Object.fromEntries(success), failure: Object.fromEntries(failure) },
  };
}

function stored(value: StoredBatch | BatchState): JsonValue {
  return value as unknown as JsonValue;
}
