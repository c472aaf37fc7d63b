import type { FinalStatus, Status } from '../../task/status.ts';
import { Finished } from './finished.ts';
import type { More } from './more.ts';
import { Ready } from './ready.ts';

/** What is known about the tasks of one handler. */
export class Shelf {
  readonly handler: string;
  /** Tasks that are not archived. */
  readonly counts: Record<Status, number> = {
    waiting: 0,
    scheduled: 0,
    queued: 0,
    running: 0,
    cancelling: 0,
    succeeded: 0,
    failed: 0,
    cancelled: 0,
  };
  readonly ready = new Ready();
  /** By status; archived ones included. */
  readonly finished: Readonly<Record<FinalStatus, Finished>> = {
    succeeded: new Finished(),
    failed: new Finished(),
    cancelled: new Finished(),
  };

  /** What its newest task had in `more`. */
  usual: More | null = null;

  constructor(handler: string) {
    this.handler = handler;
  }
}
