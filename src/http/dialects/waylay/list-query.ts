import { badParameter } from '../../query.ts';
import { type Asked, type Asking, askedFor } from './asked.ts';

/** What a list was asked for. */
export interface ListQuery {
  readonly asked: Asked;
  /** Size of a page. */
  readonly hits: number;
  /** Items in front of it. */
  readonly startIndex: number;
  readonly health: boolean;
}

/** The forms of a graph; the first is what is meant where none is named. */
const FORMATS = ['bn', 'simplified'] as const;
/** The form of a graph. */
export type Format = (typeof FORMATS)[number];

const HITS = 10;
const TAG = 'tags.';
/** Parameters that are not about which tasks. */
const OF_THE_PAGE: readonly string[] = ['hits', 'startIndex', 'format', 'includeHealth'];

/**
 * Reads the query of a list; what it does not know is left alone. Empty is as good as left out, as some clients write null.
 * @throws {HttpProblem} 400 that names the parameter
 */
export async function listQueryOf(search: URLSearchParams, asking: Asking): Promise<ListQuery> {
  const tags = new Map<string, string[]>();
  for (const [name, value] of search) {
    if (!name.startsWith(TAG) || name.length === TAG.length) continue;
    const key = name.slice(TAG.length);
    tags.set(key, [...(tags.get(key) ?? []), value]);
  }
  const names = [...new Set(search.keys())].filter((name) => !OF_THE_PAGE.includes(name) && !name.startsWith(TAG));
  const values = new Map(names.map((name) => [name, search.getAll(name).filter((value) => value !== '')]));
  return {
    asked: await askedFor(values, tags, asking),
    hits: countOf('hits', search, HITS),
    startIndex: countOf('startIndex', search, 0),
    health: flagOf('includeHealth', search),
  };
}

/** A boolean as the languages of clients write one. @throws {HttpProblem} 400 */
export function flagOf(name: string, search: URLSearchParams): boolean {
  const text = search.get(name)?.toLowerCase() || 'false';
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw badParameter(name, 'It must be true or false');
}

/** The form of the graph that is asked for. @throws {HttpProblem} 400 */
export function formatOf(search: URLSearchParams): Format {
  const asked = search.get('format') || FORMATS[0];
  const format = FORMATS.find((one) => one === asked);
  if (format === undefined) throw badParameter('format', 'It must be bn or simplified');
  return format;
}

/**
 * Whether a page with its place is answered: where it is preferred to the plain list (RFC 9110, section 12.5.1), or as soon as
 * it is accepted.
 */
export function wantsPage(accept: string | null, pages: 'preferred' | 'accepted'): boolean {
  const quality = { page: 0, list: 0 };
  for (const part of (accept ?? '').toLowerCase().split(',')) {
    const [type = '', ...parameters] = part.split(';').map((text) => text.trim());
    const q = Number(parameters.find((text) => text.startsWith('q='))?.slice(2) ?? 1);
    if (type === PAGED || (pages === 'accepted' && ['application/*', '*/*'].includes(type)))
      quality.page = Math.max(quality.page, q);
    if (['application/json', 'application/*', '*/*'].includes(type)) quality.list = Math.max(quality.list, q);
  }
  return pages === 'accepted' ? quality.page > 0 : quality.page > quality.list;
}

/** The media type of such a page. */
export const PAGED = 'application/vnd.waylay.paged+json';

function countOf(name: string, search: URLSearchParams, otherwise: number): number {
  const text = search.get(name) || null;
  if (text === null) return otherwise;
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw badParameter(name, 'It must be a whole number');
}
