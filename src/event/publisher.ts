import { checkBag } from '../bag.ts';
import type { Environment } from '../environment.ts';
import { InputInvalidError } from '../errors.ts';
import type { SubmittedHandle } from '../handle.ts';
import type { Optional } from '../handler/define.ts';
import { parseEvent } from '../handler/event-name.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { StoredSchedule } from '../schedule/stored-schedule.ts';
import type { Intake, Together } from '../submit/intake.ts';
import type { SubmitOptions } from '../submit/options.ts';
import { isA } from '../task/failure.ts';
import { parseText } from '../task/text.ts';
import { boundDefinition, boundSchedule, type Published } from './binding.ts';
import { EventSchedules } from './event-schedules.ts';

/** What `publish` may be told beside the payload: it holds for each task that the event starts. */
export type PublishOptions = Pick<
  SubmitOptions,
  'priority' | 'delay' | 'startBy' | 'tags' | 'submittedBy' | 'entityId' | 'description' | 'metadata' | 'failOnWarning'
> &
  Optional<{
    /**
     * Names the event: published again with the same key and payload, it starts nothing that it has started. Up to 500
     * characters, scoped to `submittedBy`, for `idempotencyTtl`.
     */
    idempotencyKey: string;
  }>;

/** Each started task has a key of its own, so the event's is to leave room. */
const MAX_KEY = 500;
const KEYS = {
  priority: null,
  delay: null,
  startBy: null,
  tags: null,
  submittedBy: null,
  entityId: null,
  description: null,
  metadata: null,
  failOnWarning: null,
  idempotencyKey: null,
} as const satisfies Record<keyof PublishOptions, null>;

/** Starts what is bound to an event. */
export class Publisher {
  readonly #environment: Environment;
  readonly #lifecycle: Lifecycle;
  readonly #intake: Intake;
  readonly #schedules: EventSchedules;

  constructor(environment: Environment, lifecycle: Lifecycle, intake: Intake) {
    this.#environment = environment;
    this.#lifecycle = lifecycle;
    this.#intake = intake;
    this.#schedules = new EventSchedules(environment);
  }

  /**
   * All or nothing.
   * @param look is shown what the event starts before anything is; whatever it throws refuses the event
   * @returns one handle a binding: definitions as they were registered, then schedules by key
   * @throws {TasklaneError} by rejecting
   */
  publish(
    event: string,
    payload: unknown,
    options: PublishOptions = {},
    look: (started: readonly Together[]) => void = () => {},
  ): Promise<readonly SubmittedHandle[]> {
    return this.#starts(event, payload, options).then((started) => {
      look(started);
      return this.#intake.submitTogether(started, (error, index) => named(error, event, started[index]));
    });
  }

  async #starts(event: string, payload: unknown, options: PublishOptions): Promise<readonly Together[]> {
    parseEvent('event', event);
    checkBag('options', options, KEYS);
    parseText('idempotencyKey', options.idempotencyKey, MAX_KEY);
    if (!this.#lifecycle.isOpen) await this.#lifecycle.open();
    const published: Published = { event, payload, options };
    const { registry } = this.#environment;
    const schedules = await this.#schedules.boundTo(event);
    const definitions = registry.boundTo(event).map(({ definition }) => boundDefinition(definition, published));
    const own = schedules.filter(({ schedule }) => hears(schedule, options.submittedBy));
    return [...definitions, ...own.map((found) => boundSchedule(found, published, registry))];
  }
}

/** Somebody's schedule hears of nobody else's events: their payloads are none of his business, nor his rights of theirs. */
function hears({ submittedBy, ownEvents }: StoredSchedule, publisher: string | undefined): boolean {
  if (submittedBy === null || submittedBy === publisher) return true;
  return publisher === undefined && !ownEvents;
}

/** Says whose schema it was: the caller named an event, and no handler. */
function named(error: unknown, event: string, started: Together | undefined): unknown {
  if (!isA(InputInvalidError, error) || started === undefined) return error;
  return new InputInvalidError(`Handler ${started.item.handler} does not take the event ${event}`, error.issues);
}
