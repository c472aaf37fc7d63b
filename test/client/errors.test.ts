import * as library from 'tasklane';
import { TaskClient } from 'tasklane/client';
import { describe, expect, test } from 'vitest';
import { problem as rendered } from '../../src/http/problem.ts';
import { problem, scripted } from './support.ts';

/** Every error that can reach a client, as the library throws it. */
const ERRORS = [
  new library.OptionError('limit', 'an integer', 'x'),
  new library.InputInvalidError('input', [{ path: 'a.b', message: 'no' }]),
  new library.UnknownHandlerError('nobody', ['echo']),
  new library.PayloadTooLargeError('input', 20, 10),
  new library.TaskNotFoundError('task_0'),
  new library.TransitionError('task_0', 'cancel', 'succeeded', ['queued', 'scheduled']),
  new library.VersionConflictError('task_0', 1, 2),
  new library.UniqueConflictError('key', 'task_1'),
  new library.IdempotencyConflictError('key', 'task_1'),
  new library.RelatedTasksError('task_0', 'has related tasks', ['task_1']),
  new library.ManagerClosedError(),
  new library.QueueFullError(10),
  new library.CursorError('tampered with'),
  new library.StaleLeaseError('task_0'),
] as const;

/** What a client throws when it is answered with what the server makes of an error. */
async function thrownFor(response: Response): Promise<unknown> {
  const { fetch } = scripted(() => response);
  return new TaskClient({ baseUrl: 'http://a', fetch, retry: false })
    .list()
    .next()
    .catch((error: unknown) => error);
}

describe('an error comes out of the client as it went into the server', () => {
  test.each(ERRORS.map((error) => [error.name, error] as const))('%s', async (_name, error) => {
    const thrown = await thrownFor(rendered(error));
    expect(thrown).toBeInstanceOf(error.constructor);
    expect(thrown).toBeInstanceOf(library.TasklaneError);
    const { option: _option, ...members } = { ...error } as typeof error & { option?: unknown }; // not on the wire
    expect(thrown).toMatchObject({ ...members, message: error.message });
    expect(String(thrown)).toBe(String(error));
    expect((thrown as Error).stack).toContain(error.message);
  });

  test.each([
    ['storage_locked', library.StorageLockedError],
    ['storage_full', library.StorageFullError],
    ['storage_corrupt', library.StorageCorruptError],
    ['storage_newer', library.StorageNewerError],
    ['storage_readonly', library.StorageReadonlyError],
    ['storage_failed', library.StorageError],
  ] as const)('%s', async (code, type) => {
    const { fetch } = scripted(problem(503, code));
    const client = new TaskClient({ baseUrl: 'http://a', fetch, retry: false });
    const thrown = await client.get('a').catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(type);
    expect(thrown).toMatchObject({ code, name: type.name });
  });

  test('the codes that only HTTP has', async () => {
    for (const code of ['malformed', 'unauthenticated', 'forbidden', 'rate_limited', 'internal'] as const) {
      const { fetch } = scripted(problem(400, code));
      const client = new TaskClient({ baseUrl: 'http://a', fetch, retry: false });
      await expect(client.get('a')).rejects.toMatchObject({ name: 'TasklaneError', code, message: `It is ${code}.` });
    }
  });
});
