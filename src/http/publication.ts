import type { z } from 'zod';
import { InputInvalidError } from '../errors.ts';
import type { Inside } from '../internal.ts';
import type { TaskManager } from '../manager.ts';
import { WarnedError } from '../submit/check.ts';
import type { Together } from '../submit/intake.ts';
import type { TaskRecord } from '../task/record.ts';
import type { Caller } from './caller.ts';
import { InFlight } from './in-flight.ts';
import { BodyInvalidProblem, HttpProblem } from './problem.ts';
import type { PublishBody } from './schemas.ts';
import { previewOf } from './submit-preview.ts';
import { withoutStrangers } from './tasks.ts';

/** A task that an event started, or that answers for one. */
export interface Started {
  readonly record: TaskRecord;
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}

/** Takes events in: whoever publishes one must be allowed to submit each task that it starts. */
export class Publication {
  readonly #manager: TaskManager;
  readonly #inside: Inside;
  readonly #inFlight = new InFlight();

  constructor(manager: TaskManager, inside: Inside) {
    this.#manager = manager;
    this.#inside = inside;
  }

  /**
   * @param key of idempotency, null where there is none
   * @returns those that the caller may see
   * @throws {HttpProblem} 403 where he may not submit one of them @throws what `manager.publish` does
   */
  async publish(
    caller: Caller,
    event: string,
    { payload, ...options }: z.output<typeof PublishBody>,
    key: string | null,
  ): Promise<readonly Started[]> {
    const submittedBy = options.submittedBy ?? caller.principal?.id;
    if (submittedBy !== undefined && !caller.maySubmitAs(submittedBy)) {
      throw new HttpProblem('forbidden', 'You may not publish events in the name of somebody else.');
    }
    const look = (started: readonly Together[]): void => {
      for (const { item } of started) requireSubmit(caller, item);
    };
    const publishing = { ...options, submittedBy, idempotencyKey: key ?? undefined };
    const handles = await this.#inFlight.run(key === null ? null : JSON.stringify([submittedBy, event, key]), () =>
      this.#inside.publish(event, payload, publishing, look).catch(async (error: unknown) => {
        if (error instanceof InputInvalidError) throw inBody(error);
        throw await withoutStrangers(this.#manager, caller, error);
      }),
    );
    const started: Started[] = [];
    for (const { id, warnings } of handles) {
      const record = await this.#manager.get(id, { archived: true });
      if (record !== null && caller.reads(record)) started.push({ record, warnings });
    }
    return started;
  }
}

/** @throws {HttpProblem} 403 */
function requireSubmit(
  caller: Caller,
  { handler, input, submittedBy, tags, metadata, ...rest }: Together['item'],
): void {
  const { entityId, description, priority } = rest;
  const name = typeof handler === 'string' ? handler : handler.name;
  const preview = previewOf(
    { handler: name, input, tags, metadata, entityId, description, priority },
    submittedBy ?? null,
    Date.now(),
  );
  if (!caller.may('submit', preview)) {
    throw new HttpProblem('forbidden', 'You may not submit the tasks that this event starts.');
  }
}

/** The library tells where in the input something is wrong; the client sent a payload. */
function inBody(error: InputInvalidError): BodyInvalidProblem {
  if (error instanceof WarnedError) return new BodyInvalidProblem(error.issues);
  return new BodyInvalidProblem(
    error.issues.map(({ path, message }) => ({ path: path === '' ? 'payload' : `payload.${path}`, message })),
  );
}
