import { badParameter } from '../../query.ts';
import { type Asked, askedOf } from './asked.ts';

/** What a list was asked for. */
export interface ListQuery {
  readonly asked: Asked;
  /** Size of a page. */
  readonly hits: number;
  /** Items in front of it. */
  readonly startIndex: number;
  readonly health: boolean;
}

const HITS = 10;
const TAG = 'tags.';

/** Reads the query of a list; what it does not know is left alone. @throws {HttpProblem} 400 that names the parameter */
export function listQueryOf(search: URLSearchParams): ListQuery {
  const tags = new Map<string, string[]>();
  for (const [name, value] of search) {
    if (!name.startsWith(TAG) || name.length === TAG.length) continue;
    const key = name.slice(TAG.length);
    tags.set(key, [...(tags.get(key) ?? []), value]);
  }
  return {
    asked: askedOf((name) => search.getAll(name), tags),
    hits: countOf('hits', search, HITS),
    startIndex: countOf('startIndex', search, 0),
    health: flagOf('includeHealth', search),
  };
}

/** @throws {HttpProblem} 400 */
export function flagOf(name: string, search: URLSearchParams): boolean {
  const text = search.get(name) ?? 'false';
  if (text === 'true' || text === 'false') return text === 'true';
  throw badParameter(name, 'It must be true or false');
}

/** Both forms are the same here; another word is refused. @throws {HttpProblem} 400 */
export function checkFormat(search: URLSearchParams): void {
  const format = search.get('format') ?? 'bn';
  if (format !== 'bn' && format !== 'simplified') throw badParameter('format', 'It must be bn or simplified');
}

/** Whether a page with its place is preferred to the plain list (RFC 9110, section 12.5.1). */
export function wantsPage(accept: string | null): boolean {
  const quality = { page: 0, list: 0 };
  for (const part of (accept ?? '').toLowerCase().split(',')) {
    const [type = '', ...parameters] = part.split(';').map((text) => text.trim());
    const q = Number(parameters.find((text) => text.startsWith('q='))?.slice(2) ?? 1);
    if (type === PAGED) quality.page = Math.max(quality.page, q);
    if (['application/json', 'application/*', '*/*'].includes(type)) quality.list = Math.max(quality.list, q);
  }
  return quality.page > quality.list;
}

/** The media type of such a page. */
export const PAGED = 'application/vnd.waylay.paged+json';

function countOf(name: string, search: URLSearchParams, otherwise: number): number {
  const text = search.get(name);
  if (text === null) return otherwise;
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw badParameter(name, 'It must be a whole number');
}
