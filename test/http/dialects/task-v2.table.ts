/**
 * WIRE.md, section 2, as data: a reader can lay the two beside each other. `{words}` are those of the task as our own API has
 * it; `{made}` is the id of the task that the request made.
 */
import type { Exchange } from './contract.ts';
import { OPTIONS } from './task-v2.options.ts';
import { READS } from './task-v2.reads.ts';
import { document, VIEW, yii } from './task-v2.words.ts';
import { WRITES } from './task-v2.writes.ts';

export { STATUS, TASK } from './task-v2.words.ts';

export const EXCHANGES: readonly Exchange[] = [
  ...READS,
  ...WRITES,
  ...OPTIONS,
  {
    title: 'redact > hides request and response',
    task: 'succeeded',
    request: VIEW,
    http: { redact: () => 'hidden' },
    status: 200,
    text: document('completed', '"\\"hidden\\""', '"request":"\\"hidden\\""'),
  },
  // everything else below /v2/task
  {
    title: 'other paths > none of its routes',
    task: 'none',
    request: 'GET /v2/task/restart/1',
    status: 404,
    text: yii(404, 'Not Found', 'NotFound', 'There is nothing at /v2/task/restart/1.'),
  },
  {
    title: 'other methods > of index',
    task: 'none',
    request: 'GET /v2/task/index',
    status: 405,
    answered: { allow: 'POST, OPTIONS' },
    text: yii(405, 'Method Not Allowed', 'MethodNotAllowed', 'GET is not allowed here; allowed are POST, OPTIONS.'),
  },
  {
    title: 'malformed > a path that does not decode',
    task: 'none',
    request: 'GET /v2/task/view/%zz',
    status: 400,
    text: yii(400, 'Bad Request', 'BadRequest', 'The URL is not well-formed.'),
  },
];
