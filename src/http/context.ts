import { type Inside, insideOf } from '../internal.ts';
import type { TaskManager } from '../manager.ts';
import { Access } from './access.ts';
import { EventHub } from './event-hub.ts';
import type { HttpSettings } from './options.ts';
import { Publication } from './publication.ts';
import { Submission } from './submission.ts';

/** What the routes of one handler share. */
export interface HttpContext {
  readonly manager: TaskManager;
  readonly inside: Inside;
  readonly settings: HttpSettings;
  readonly access: Access;
  readonly submission: Submission;
  readonly publication: Publication;
  readonly hub: EventHub;
  /** Aborted by `close()`: what is held is answered at once. */
  readonly closing: AbortSignal;
}

/** Nothing of it runs before it is used. @throws {TypeError} for what is no manager */
export function makeContext(manager: TaskManager, settings: HttpSettings, closing: AbortSignal): HttpContext {
  const inside = insideOf(manager);
  const { authenticate, policy, hideForbidden, redact, cors, streams } = settings;
  const origins = cors === null || cors.origins === '*' || !cors.credentials ? [] : cors.origins;
  const { definitionOf } = inside;
  const access = new Access(authenticate, origins, { policy, hideForbidden, redact, definitionOf });
  const submission = new Submission(manager, inside, settings);
  const publication = new Publication(manager, inside);
  return {
    manager,
    inside,
    settings,
    access,
    submission,
    publication,
    closing,
    hub: new EventHub({ maxStreams: streams }),
  };
}
