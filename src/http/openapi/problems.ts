import { phrase } from '../answer.ts';
import { type ProblemCode, statusOf } from '../problem.ts';
import type { RouteFacts } from '../route.ts';

type Json = Record<string, unknown>;

/** A problem document (RFC 9457). */
export const PROBLEM: Json = {
  type: 'object',
  description: 'A problem document (RFC 9457). Programs branch on `code`; `detail` is for people.',
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string' },
    errors: {
      type: 'array',
      description: 'What is wrong with the request, part by part',
      items: {
        type: 'object',
        properties: { path: { type: 'string' }, message: { type: 'string' } },
        required: ['path', 'message'],
      },
    },
  },
  required: ['type', 'title', 'status', 'detail', 'code'],
};

/** What every route may answer: the URL is none, something is wrong on our side, or the storage cannot. */
const ALWAYS: readonly ProblemCode[] = [
  'malformed',
  'internal',
  'manager_closed',
  'storage_failed',
  'storage_newer',
  'storage_locked',
  'storage_corrupt',
  'storage_full',
  'storage_readonly',
];
/** What every route may answer that asks who the caller is. */
const ASKED: readonly ProblemCode[] = ['unauthenticated', 'forbidden'];

/** Every code that a route may answer. */
function problemsOf({ open, problems }: RouteFacts): readonly ProblemCode[] {
  return [...new Set([...ALWAYS, ...(open ? [] : ASKED), ...problems])];
}

/** The problem documents of a route, by status. */
export function problemAnswers(route: RouteFacts): Json {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of problemsOf(route)) {
    const status = statusOf(code);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const entries = [...byStatus]
    .filter(([status]) => !(status in route.answers))
    .map(([status, codes]) => [
      status,
      {
        description: `${phrase(status)}: ${codes.join(', ')}`,
        content: {
          'application/problem+json': {
            schema: {
              allOf: [{ $ref: '#/components/schemas/Problem' }],
              properties: { code: { type: 'string', enum: codes } },
            },
          },
        },
      },
    ]);
  return Object.fromEntries(entries) as Json;
}
