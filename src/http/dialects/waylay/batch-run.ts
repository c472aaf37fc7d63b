import type { Inside } from '../../../internal.ts';
import type { JsonValue } from '../../../task/json.ts';
import { type HttpProblem, type ProblemCode, toProblem } from '../../problem.ts';
import type { BatchAction } from './batch.ts';
import { statusCodeOf, textOf } from './refuse.ts';
import type { JsonObject } from './specification.ts';

/** What a batch is to do; it never changes. */
export interface StoredBatch {
  readonly user: string;
  readonly action: BatchAction;
  readonly parameters: JsonObject;
  readonly ids: readonly string[];
  /** Epoch ms. */
  readonly queueTime: number;
}

/** How far it is. */
export interface BatchState {
  /** So many of its ids, from the first on. */
  readonly done: number;
  readonly failures: readonly (readonly [index: number, statusCode: number, error: string])[];
  /** When whoever runs it last said so; epoch ms. */
  readonly beatAt: number;
  /** Epoch ms; null: it goes on. */
  readonly finishedTime: number | null;
}

/** The kinds of the documents that hold the two. */
export const BATCH = 'waylay.batch';
export const STATE = 'waylay.batch.state';
/** How long a batch is told of. */
export const KEPT_MS = 7 * 86_400_000;
/** Without a beat for so long, whoever ran it is gone. */
export const SILENT_MS = 30_000;
const BEAT_MS = 5_000;
/** After so many the state is stored: so many may have been done by one that died, without a word of it. */
const AT_ONCE = 50;

/** What an action asks for is so already, where it is refused with this. */
const DONE_BEFORE: Readonly<Partial<Record<BatchAction, ProblemCode>>> = {
  start: 'transition_refused',
  stop: 'transition_refused',
  delete: 'task_not_found',
  stopAndDelete: 'task_not_found',
};

/** A batch that this process runs: one task after the other, its state stored on the way, so that another can go on. */
export class BatchRun {
  readonly #inside: Inside;
  readonly #id: string;
  readonly #batch: StoredBatch;
  readonly #from: number;
  /** The ids up to here may have been done by one that died. */
  readonly #maybeDoneTo: number;
  readonly #failures: BatchState['failures'][number][];
  #state: BatchState;
  #version: number;
  /** Nobody else runs it. */
  #isOurs = true;
  #saved: Promise<void> = Promise.resolve();

  /** @param version of the stored state @param goesOn another process began it */
  constructor(inside: Inside, id: string, batch: StoredBatch, state: BatchState, version: number, goesOn: boolean) {
    this.#inside = inside;
    this.#id = id;
    this.#batch = batch;
    this.#failures = [...state.failures];
    this.#state = { ...state, failures: this.#failures };
    this.#version = version;
    this.#from = state.done;
    this.#maybeDoneTo = goesOn ? state.done + AT_ONCE : 0;
  }

  /** @param act does it with one task @throws {StorageError} @throws {ManagerClosedError} then another process goes on */
  async run(act: (id: string) => Promise<void>): Promise<void> {
    const beat = this.#beat();
    try {
      for (let index = this.#from; index < this.#batch.ids.length && this.#isOurs; index++) {
        const failure = await this.#one(index, act);
        if (failure !== null) this.#failures.push(failure);
        this.#state = { ...this.#state, done: index + 1 };
        if ((index + 1 - this.#from) % AT_ONCE === 0) await this.#save();
      }
      this.#state = { ...this.#state, finishedTime: this.#inside.now() };
      await this.#save();
    } finally {
      beat.clear();
    }
  }

  async #one(index: number, act: (id: string) => Promise<void>): Promise<BatchState['failures'][number] | null> {
    try {
      await act(this.#batch.ids[index] ?? '');
      return null;
    } catch (error) {
      const problem = toProblem(error);
      if (problem.code === 'manager_closed') throw error;
      if (index < this.#maybeDoneTo && this.#wasDone(problem)) return null;
      return [index, statusCodeOf(problem), textOf(problem)];
    }
  }

  #wasDone({ code }: HttpProblem): boolean {
    return DONE_BEFORE[this.#batch.action] === code;
  }

  /** One after the other; a state that somebody else moved ends this run. */
  #save(): Promise<void> {
    const save = async (): Promise<void> => {
      if (!this.#isOurs) return;
      this.#state = { ...this.#state, beatAt: this.#inside.now() };
      const value = this.#state as unknown as JsonValue;
      const version = await this.#inside.kept.put(STATE, this.#id, value, KEPT_MS, this.#version);
      if (version === null) this.#isOurs = false;
      else this.#version = version;
    };
    this.#saved = this.#saved.then(save);
    return this.#saved;
  }

  #beat(): { clear(): void } {
    const again = (): void => {
      timer = this.#inside.after(BEAT_MS, again);
      this.#save().catch(() => {}); // the loop meets it, too
    };
    let timer = this.#inside.after(BEAT_MS, again);
    return { clear: () => timer.clear() };
  }
}
