/** Starts a text that is stored in its JSON form. */
const ESCAPED = '\u0001';
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * A text as a column holds it. SQLite keeps UTF-8, where a lone surrogate is lost, and older versions of Node stop reading
 * at a NUL: such a text is kept as JSON. Equal texts stay equal, so it may be compared with `=`.
 */
export function encodeText(text: string): string {
  const plain = !text.startsWith(ESCAPED) && !text.includes('\0') && !LONE_SURROGATE.test(text);
  return plain ? text : ESCAPED + JSON.stringify(text);
}

/** The same, for a text that may be missing. */
export function encodeNullableText(text: string | null): string | null {
  return text === null ? null : encodeText(text);
}

/** The text that {@link encodeText} was given. */
export function decodeText(stored: string): string {
  return stored.startsWith(ESCAPED) ? (JSON.parse(stored.slice(1)) as string) : stored;
}

/** The same, for a text that may be missing. */
export function decodeNullableText(stored: string | null): string | null {
  return stored === null ? null : decodeText(stored);
}

/** A JSON value as a column holds it: null is NULL, which costs nothing to read. */
export function encodeJson(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}

/** The value that {@link encodeJson} was given. */
export function decodeJson(stored: string | null): unknown {
  return stored === null ? null : JSON.parse(stored);
}
