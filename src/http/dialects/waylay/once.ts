import { createHash } from 'node:crypto';
import { ScheduleExistsError, StorageError } from '../../../errors.ts';
import type { Inside } from '../../../internal.ts';
import { canonicalJson, type JsonValue, toJson } from '../../../task/json.ts';
import { HttpProblem } from '../../problem.ts';

/** The kind of the documents that tell which schedule a key of idempotency made. */
const KIND = 'waylay.once';

/** What a key stands for. `made`: its schedule was there, and is not made again where it was deleted since. */
interface Once {
  readonly id: string;
  readonly fingerprint: string;
  readonly made: boolean;
}

/**
 * Makes a schedule once for a key. The id is written down first: whoever comes again after a crash makes the one that was begun.
 * @param key null: each time
 * @param asked what the key stands for; another under the same key is refused
 * @param create is given the id
 * @returns the id
 * @throws {HttpProblem} idempotency_conflict
 */
export async function createOnce(
  { kept, drawId, idempotencyMs }: Inside,
  key: readonly [user: string | null, key: string] | null,
  asked: unknown,
  create: (id: string) => Promise<void>,
): Promise<string> {
  const id = drawId();
  if (key === null) {
    await create(id);
    return id;
  }
  const place = JSON.stringify(key);
  const fingerprint = createHash('sha256')
    .update(canonicalJson(toJson(asked, 'task')))
    .digest('base64url');
  let once: Once = { id, fingerprint, made: false };
  if ((await kept.put(KIND, place, stored(once), idempotencyMs, 0)) === null) {
    once = ((await kept.get(KIND, place))?.value ?? once) as unknown as Once;
    if (once.fingerprint !== fingerprint) {
      throw usedFor(key[1]);
    }
    if (once.made) return once.id;
  }
  try {
    await create(once.id);
  } catch (error) {
    if (!(error instanceof ScheduleExistsError)) {
      // what was refused may come again under its key; what the storage failed to say may be there
      if (!(error instanceof StorageError)) await kept.delete(KIND, place);
      throw error;
    }
  }
  await kept.put(KIND, place, stored({ ...once, made: true }), idempotencyMs);
  return once.id;
}

/** What a key that made a task stands for: the task itself tells whether another asks for the same. */
const TASK: Once = { id: '', fingerprint: 'task', made: true };

/**
 * Makes a task for a key that no schedule was made for. That it is made once is up to the task's own key.
 * @throws {HttpProblem} idempotency_conflict
 */
export async function taskOnce<Made>(
  { kept, idempotencyMs }: Inside,
  key: readonly [user: string | null, key: string] | null,
  create: () => Promise<Made>,
): Promise<Made> {
  if (key === null) return create();
  const place = JSON.stringify(key);
  const isFirst = (await kept.put(KIND, place, stored(TASK), idempotencyMs, 0)) !== null;
  const once = isFirst ? TASK : (((await kept.get(KIND, place))?.value ?? TASK) as unknown as Once);
  if (once.fingerprint !== TASK.fingerprint) throw usedFor(key[1]);
  try {
    return await create();
  } catch (error) {
    if (isFirst && !(error instanceof StorageError)) await kept.delete(KIND, place);
    throw error;
  }
}

function usedFor(key: string): HttpProblem {
  return new HttpProblem('idempotency_conflict', `The key ${key} was used for another task.`);
}

function stored(once: Once): JsonValue {
  return once as unknown as JsonValue;
}
