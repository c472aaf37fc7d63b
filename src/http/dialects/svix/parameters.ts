import { HttpProblem } from '../../problem.ts';
import { ownId } from '../ids.ts';
import { ID_PREFIX } from './item.ts';
import { ParameterProblem } from './refuse.ts';
import { STATUSES, type SvixStatus, type SvixTask, TASKS } from './words.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 250;
const STATUS_WORDS = Object.keys(STATUSES) as SvixStatus[];

/** What a list was asked for. Parameters that are not known are ignored, as Svix does. */
export interface ListParameters {
  readonly limit: number;
  readonly descending: boolean;
  /** Our id of the item that the page is next to; null: from the start. */
  readonly place: string | null;
  /** The page in front of the place. */
  readonly backward: boolean;
  readonly statuses: readonly SvixStatus[];
  readonly tasks: readonly SvixTask[];
}

/** @param old as version 1.4 refuses them @throws {HttpProblem} 422, or 400 for what is no number */
export function parseParameters(search: URLSearchParams, idPrefix: string, old: boolean): ListParameters {
  const iterator = search.get('iterator') ?? '';
  const backward = iterator.startsWith('-');
  return {
    limit: limitOf(search, old),
    descending: isDescending(search),
    place: iterator === '' ? null : placeOf(backward ? iterator.slice(1) : iterator, idPrefix),
    backward,
    statuses: wordsOf(search, 'status', STATUS_WORDS),
    tasks: wordsOf(search, 'task', TASKS),
  };
}

function isDescending(search: URLSearchParams): boolean {
  const order = search.get('order') ?? '';
  if (order === '' || order === 'descending') return true;
  if (order === 'ascending') return false;
  throw new ParameterProblem('order', 'order must be one of ascending, descending');
}

function limitOf(search: URLSearchParams, old: boolean): number {
  const text = search.get('limit');
  if (text === null || text === '') return DEFAULT_LIMIT;
  if (!/^-?\d+$/.test(text)) {
    const message = 'limit must be an integer';
    throw old ? new ParameterProblem('limit', message, 'type_error.integer') : new HttpProblem('malformed', message);
  }
  const limit = Number(text);
  if (limit < 1) throw new ParameterProblem('limit', 'limit must be at least 1');
  if (limit > MAX_LIMIT) throw new ParameterProblem('limit', `limit must be at most ${MAX_LIMIT}`);
  return limit;
}

/** It is the id of a task: Svix's, or ours. */
function placeOf(iterator: string, idPrefix: string): string {
  const id = ownId(idPrefix, ID_PREFIX, iterator);
  if (id.startsWith(idPrefix) && /^[0-9A-Za-z]{27}$/.test(id.slice(idPrefix.length))) return id;
  throw new ParameterProblem('iterator', 'iterator is not one of a list');
}

/** Lists have commas between, or are repeated. */
function wordsOf<T extends string>(search: URLSearchParams, name: string, allowed: readonly T[]): readonly T[] {
  const words = search.getAll(name).flatMap((text) => (text === '' ? [] : text.split(',')));
  if (words.every((word): word is T => (allowed as readonly string[]).includes(word))) return words;
  throw new ParameterProblem(name, `${name} must be one of ${allowed.join(', ')}`);
}
