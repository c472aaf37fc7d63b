import { isUtf8 } from 'node:buffer';
import { HttpProblem } from './problem.ts';

/** What bounds a body. */
export interface BodyLimits {
  /** Bytes. */
  readonly bodyBytes: number;
  /** Levels of nesting. */
  readonly jsonDepth: number;
}

/** Media types of a patch (RFC 7396). Another patch format, such as that of RFC 6902, means something else by the same JSON. */
const PATCHES: readonly string[] = ['application/merge-patch+json', 'application/json'];

/**
 * Reads a body of JSON (RFC 8259); that of a PATCH is a merge patch.
 * @returns undefined for an empty body, whatever its media type: real clients send `Content-Length: 0` as a form
 * @throws {HttpProblem} 413, 415, or 400 for what is no JSON
 */
export async function readJson(request: Request, { bodyBytes, jsonDepth }: BodyLimits): Promise<unknown> {
  refuseEncoded(request.headers);
  const text = await readText(request, bodyBytes);
  if (text === '') return undefined;
  refuseType(request);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new HttpProblem('malformed', `The body is not JSON: ${(error as SyntaxError).message}`);
  }
  // Each level takes two characters, and most bodies have fewer than that.
  if (text.length > 2 * jsonDepth && deeper(value, jsonDepth)) {
    throw new HttpProblem('malformed', `The body is nested deeper than ${jsonDepth} levels.`);
  }
  return value;
}

async function readText(request: Request, limit: number): Promise<string> {
  const declared = Number(request.headers.get('content-length') ?? Number.NaN);
  // Node's parser holds a body to its declared length, and a request made by an adapter limits the others by itself.
  if (declared > limit) throw tooLarge(limit);
  if (Number.isNaN(declared) && !('runtime' in request)) return readLimited(request, limit);
  try {
    const text = await request.text();
    const bytes = Buffer.byteLength(text);
    if (bytes > limit) throw tooLarge(limit);
    // The decoder replaces what is no UTF-8 by U+FFFD, which is longer: stored, it would be other text than was sent.
    if (bytes > declared && text.includes('\ufffd')) throw notUtf8();
    return text;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_BODY_TOO_LARGE') throw tooLarge(limit);
    if (request.signal.aborted) throw new HttpProblem('malformed', 'The request ended before its body did.');
    throw error;
  }
}

/** A body of unknown length: never more of it in memory than the limit and one chunk. */
async function readLimited(request: Request, limit: number): Promise<string> {
  if (request.body === null) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    size += read.value.byteLength;
    if (size > limit) {
      reader.cancel().catch(() => {}); // the answer goes out whether or not the sender stops
      throw tooLarge(limit);
    }
    chunks.push(read.value);
  }
  const bytes = Buffer.concat(chunks);
  if (!isUtf8(bytes)) throw notUtf8();
  return bytes.toString();
}

function notUtf8(): HttpProblem {
  return new HttpProblem('malformed', 'The body is not text in UTF-8.');
}

function tooLarge(limit: number): HttpProblem {
  return new HttpProblem('payload_too_large', `The body is larger than the ${limit} bytes allowed.`, {
    maxBytes: limit,
  });
}

/** A body that was compressed (RFC 9110, section 8.4) is refused in words: its bytes would be no JSON. */
function refuseEncoded(headers: Headers): void {
  const coding = headers.get('content-encoding');
  if (coding === null || headers.get('content-length') === '0' || /^\s*(identity)?\s*$/i.test(coding)) return;
  const detail = `The body must have no Content-Encoding, but has ${JSON.stringify(coding.slice(0, 100))}.`;
  throw new HttpProblem('unsupported_media_type', detail, {}, { 'accept-encoding': 'identity' });
}

/** `application/json`, or any type that says it is JSON (RFC 6839, section 3.1), in UTF-8 (RFC 8259, section 8.1). */
function refuseType({ headers, method }: Request): void {
  const type = headers.get('content-type');
  if (type === 'application/json') return; // nearly always
  const [essence = '', ...parameters] = (type ?? '').split(';').map((part) => part.trim().toLowerCase());
  const isPatch = method === 'PATCH';
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  const isUtf8Text = charset === undefined || /^charset="?utf-?8"?$/.test(charset);
  const fits = isPatch ? PATCHES.includes(essence) : /^application\/([\w.-]+\+)?json$/.test(essence);
  if (fits && isUtf8Text) return;
  const allowed = isPatch ? PATCHES.join(' or ') : 'application/json';
  const came = type === null ? 'has none' : `is ${JSON.stringify(type.slice(0, 100))}`;
  throw new HttpProblem(
    'unsupported_media_type',
    `The Content-Type must be ${allowed}${fits ? ' in UTF-8' : ''}, but ${came}.`,
    {},
    // RFC 5789, section 3.1
    isPatch ? { 'accept-patch': PATCHES.join(', ') } : { accept: 'application/json' },
  );
}

/** Goes no deeper than `levels` itself. */
function deeper(value: unknown, levels: number): boolean {
  if (value === null || typeof value !== 'object') return false;
  if (levels === 0) return true;
  for (const held of Object.values(value)) if (deeper(held, levels - 1)) return true;
  return false;
}
