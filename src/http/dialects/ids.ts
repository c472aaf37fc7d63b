/** What follows the prefix in an id of ours, and in those that dialects make of it. */
const TAIL = /[0-9A-Za-z]{27}$/;
const TAIL_LENGTH = 27;

/** The last 27 characters of an id, which alone tell which task it is; null for a text of another form. */
export function tailOf(id: string): string | null {
  return TAIL.test(id) ? id.slice(-TAIL_LENGTH) : null;
}

/** An id of ours from one of a dialect, whose prefix is another; what has not the form is left as it is. */
export function ownId(idPrefix: string, dialectPrefix: string, id: string): string {
  const isTheirs = id.length === dialectPrefix.length + TAIL_LENGTH && id.startsWith(dialectPrefix);
  return isTheirs ? idPrefix + id.slice(dialectPrefix.length) : id;
}

/** An id of a dialect from one of ours. */
export function dialectId(dialectPrefix: string, id: string): string {
  return dialectPrefix + id.slice(-TAIL_LENGTH);
}
