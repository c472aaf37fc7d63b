/** First wait between two tries, in ms; doubles with each. */
const FIRST_MS = 250;
const MAX_MS = 10_000;
/** A server that asks for more is not waited for any longer than this. */
const MAX_ASKED_MS = 60_000;

/** How long to wait after the nth failure in a row, from 1: between half and all of a doubling time, so that clients spread. */
export function backoffMs(failures: number): number {
  const full = Math.min(FIRST_MS * 2 ** (failures - 1), MAX_MS);
  return full / 2 + (Math.random() * full) / 2;
}

/** `Retry-After` (RFC 9110, section 10.2.3), seconds or a date, in ms; null where it is missing or cannot be read. */
export function retryAfterMs(headers: Headers): number | null {
  const value = headers.get('retry-after');
  if (value === null) return null;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), MAX_ASKED_MS);
}

/** Resolves after some ms. @throws the signal's reason */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const aborted = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', aborted);
      resolve();
    }, ms);
    signal?.addEventListener('abort', aborted, { once: true });
  });
}
