import { type TaskFilter, TaskManager } from 'tasklane';
import { SqliteStorage } from 'tasklane/sqlite';
import type { Stage } from './child.ts';
import { type Evidence, explain } from './explain.ts';
import { runsOf } from './journal.ts';

/** Reads the shared file beside the processes that work on it, and runs nothing. */
export class Reader {
  readonly storage: SqliteStorage;
  readonly #manager: TaskManager;
  readonly #stage: Stage;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.storage = new SqliteStorage(stage.file);
    this.#manager = new TaskManager({ storage: this.storage });
  }

  count(filter?: TaskFilter): Promise<number> {
    return this.#manager.count(filter);
  }

  /** All tasks, with what is known of each. */
  async evidence(): Promise<readonly Evidence[]> {
    const runs = runsOf(this.#stage.journal());
    const all: Evidence[] = [];
    for (let after: string | undefined; ; after = all.at(-1)?.task.id) {
      const { items } = await this.#manager.list({
        sort: 'id',
        limit: 1_000,
        ...(after === undefined ? {} : { after }),
      });
      for (const task of items) {
        all.push({ task, attempts: await this.#manager.attempts(task.id), runs: runs.get(task.id) ?? [] });
      }
      if (items.length < 1_000) return all;
    }
  }

  close(): Promise<void> {
    return this.#manager.close();
  }
}

/** Reads all tasks of a stage once. */
export async function evidenceOf(stage: Stage): Promise<readonly Evidence[]> {
  const reader = new Reader(stage);
  try {
    return await reader.evidence();
  } finally {
    await reader.close();
  }
}

/** The only task of a stage. @throws when there are more or fewer, or when it does not add up */
export async function onlyTask(stage: Stage): Promise<Evidence> {
  const [evidence, ...others] = await evidenceOf(stage);
  if (evidence === undefined || others.length > 0) throw new Error(`There are ${others.length + 1} tasks, or none.`);
  const problems = explain(evidence);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return evidence;
}
