import type { Documents } from '../storage/storage.ts';
import type { Clock } from '../time/clock.ts';
import { SCHEDULE, type ScheduleRecord, toFound, toScheduleRecord } from './stored-schedule.ts';

/** Then all are read anew: a version may come again once a deleted schedule is forgotten, an hour later. */
const TRUSTED_MS = 1_800_000;
/** More are read each time, rather than held. */
const MOST = 50_000;
/** Above so many that changed, all are read at once. */
const ONE_BY_ONE = 200;

/** All schedules, of which only those are read that changed since: for lists that have to look at each. */
export class KnownSchedules {
  readonly #storage: Documents;
  readonly #clock: Clock;
  #known = new Map<string, { readonly version: number; readonly schedule: ScheduleRecord | null }>();
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(storage: Documents, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  /** By key, in the order of bytes; to be left as they are. @throws {StorageError} */
  async all(): Promise<readonly ScheduleRecord[]> {
    const now = this.#clock.monotonic();
    if (now - this.#readAt > TRUSTED_MS) this.#known.clear();
    const there = await this.#storage.documents(SCHEDULE, { values: false });
    const changed = there.filter(({ key, version }) => this.#known.get(key)?.version !== version);
    const read =
      changed.length > ONE_BY_ONE
        ? await this.#storage.documents(SCHEDULE)
        : await Promise.all(changed.map(({ key }) => this.#storage.document(SCHEDULE, key)));
    const before = this.#known;
    const fresh = new Map(read.flatMap((document) => (document === null ? [] : [[document.key, document] as const])));
    const known: typeof before = new Map();
    const all: ScheduleRecord[] = [];
    for (const { key } of there) {
      const document = fresh.get(key);
      const found = document && toFound(document);
      const held = document
        ? { version: document.version, schedule: found ? toScheduleRecord(found) : null }
        : before.get(key);
      if (held === undefined) continue; // deleted for good in between
      known.set(key, held);
      if (held.schedule !== null) all.push(held.schedule);
    }
    this.#known = known.size > MOST ? new Map() : known;
    this.#readAt = now;
    return all;
  }
}
