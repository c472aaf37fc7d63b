import { customAlphabet } from 'nanoid';

/** In byte order, so that ids of one process sort as they were drawn. */
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const BASE = ALPHABET.length;

const TIME_LENGTH = 8; // 62^8 ms: until the year 8888
const SEQUENCE_LENGTH = 4; // 62^4 = 14.7 million ids a millisecond
const RANDOM_LENGTH = 15; // 89 bits
const RANDOM_BLOCK = 16; // ids a call of nanoid serves

/** What follows the prefix. */
const ID_LENGTH = TIME_LENGTH + SEQUENCE_LENGTH + RANDOM_LENGTH;

const randomBlock = customAlphabet(ALPHABET, RANDOM_LENGTH * RANDOM_BLOCK);
const randomText = customAlphabet(ALPHABET, 21);

/** Random text of letters and digits, 125 bits: names a worker, or what else is no task. */
export function drawWorkerId(): string {
  return randomText();
}

/**
 * Draws ids: the prefix, the time, a sequence, and random characters from nanoid.
 * Byte order is the order of the calls, also when the clock goes back.
 */
export class TaskIds {
  readonly #prefix: string;
  readonly #now: () => number;
  #time = -1;
  #sequence = 0;
  #head = '';
  #block = '';
  #used = 0;

  /** @param now epoch ms */
  constructor(prefix: string, now: () => number) {
    this.#prefix = prefix;
    this.#now = now;
  }

  /** An id that no other process draws. @param now epoch ms, where the caller knows it */
  draw(now = this.#now()): string {
    if (now > this.#time) {
      this.#time = now;
      this.#sequence = 0;
      this.#head = this.#prefix + encode(now, TIME_LENGTH);
    }
    if (this.#used === 0) this.#block = randomBlock();
    const at = this.#used * RANDOM_LENGTH;
    this.#used = (this.#used + 1) % RANDOM_BLOCK;
    return this.#head + encode(this.#sequence++, SEQUENCE_LENGTH) + this.#block.slice(at, at + RANDOM_LENGTH);
  }
}

/** Whether a text has the form of an id drawn with this prefix. */
export function isTaskId(prefix: string, text: string): boolean {
  return (
    text.startsWith(prefix) &&
    text.length === prefix.length + ID_LENGTH &&
    /^[0-9A-Za-z]+$/.test(text.slice(prefix.length))
  );
}

function encode(value: number, length: number): string {
  let text = '';
  let rest = value;
  for (let place = 0; place < length; place++) {
    text = ALPHABET[rest % BASE] + text;
    rest = Math.floor(rest / BASE);
  }
  return text;
}
