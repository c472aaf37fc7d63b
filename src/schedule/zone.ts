import { OptionError } from '../errors.ts';

/** A moment of some place's clocks on the wall, as the epoch ms of the same date and time in UTC. */
export type WallTime = number;

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;
/** Zones that are kept; whoever names more makes their formatters anew. */
const KEPT = 1_000;

const zones = new Map<string, Zone>();

/** A time zone: what its clocks show at an instant, and when they show it. All instants are epoch ms. */
export class Zone {
  readonly name: string;
  readonly isUtc: boolean;
  readonly #format: Intl.DateTimeFormat;

  private constructor(name: string, format: Intl.DateTimeFormat) {
    this.name = name;
    this.#format = format;
    this.isUtc = format.resolvedOptions().timeZone === 'UTC';
  }

  /** @param name of the IANA time zone database, or an offset such as `+02:00`. @throws {OptionError} where there is none */
  static of(name: unknown, option = 'timeZone'): Zone {
    const known = zones.get(name as string);
    if (known !== undefined) return known;
    const zone = new Zone(name as string, formatOf(name, option));
    if (zones.size >= KEPT) zones.clear();
    zones.set(zone.name, zone);
    return zone;
  }

  /** What the clocks show. */
  toWall(instant: number): WallTime {
    return instant + this.offsetAt(instant);
  }

  /** How far the clocks are ahead of UTC, in ms. */
  offsetAt(instant: number): number {
    if (this.isUtc) return 0;
    const second = Math.floor(instant / SECOND_MS) * SECOND_MS;
    const at: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(second)) at[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second: seconds = 0 } = at;
    return Date.UTC(year, month - 1, day, hour, minute, seconds) - second;
  }

  /**
   * When the clocks show it: the first time where they do so twice, and where they never do, for they are put forward over
   * it, the first instant after that.
   */
  toInstant(wall: WallTime): number {
    return this.instantsOf(wall)[0] ?? this.#afterGap(wall);
  }

  /** Every instant at which the clocks show it: none, one or two. */
  instantsOf(wall: WallTime): readonly number[] {
    const [before, after] = this.#offsetsAround(wall);
    const instants = [...new Set([wall - before, wall - after])];
    return instants.filter((instant) => this.toWall(instant) === wall).sort((a, b) => a - b);
  }

  /** The first instant in (from, to] with another offset than at `from`; `to` must have another. To the second. */
  changeBetween(from: number, to: number): number {
    const offset = this.offsetAt(from);
    let last = Math.floor(from / SECOND_MS);
    let first = Math.ceil(to / SECOND_MS);
    while (first - last > 1) {
      const middle = Math.floor((last + first) / 2);
      if (this.offsetAt(middle * SECOND_MS) === offset) last = middle;
      else first = middle;
    }
    return first * SECOND_MS;
  }

  #afterGap(wall: WallTime): number {
    const [before, after] = this.#offsetsAround(wall);
    return this.changeBetween(wall - after, wall - before);
  }

  /** No zone is a day away from UTC, and none changes twice within two days. */
  #offsetsAround(wall: WallTime): readonly [number, number] {
    return [this.offsetAt(wall - DAY_MS), this.offsetAt(wall + DAY_MS)];
  }
}

function formatOf(name: unknown, option: string): Intl.DateTimeFormat {
  const allowed = "the name of a time zone, such as 'Europe/Berlin' or 'UTC'";
  if (typeof name !== 'string' || name === '') throw new OptionError(option, allowed, name);
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'iso8601',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    throw new OptionError(option, allowed, name);
  }
}
