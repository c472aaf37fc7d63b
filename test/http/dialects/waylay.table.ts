/**
 * WIRE.md, section 4, as data: a reader can lay the two beside each other. `{words}` are those of the task as our own API has
 * it; `{made}` is the id of the task that the request made.
 */
import type { Exchange } from './contract.ts';
import { COMMANDS } from './waylay.commands.ts';
import { OPTIONS } from './waylay.options.ts';
import { READS } from './waylay.reads.ts';
import { error, GET, ROOT } from './waylay.words.ts';
import { WRITES } from './waylay.writes.ts';

export { ENTITY, STATUS } from './waylay.words.ts';

export const EXCHANGES: readonly Exchange[] = [
  ...READS,
  ...WRITES,
  ...COMMANDS,
  ...OPTIONS,
  {
    title: 'redact > hides the variables',
    task: 'queued',
    request: `${GET}/conf`,
    http: { redact: () => ({ hidden: true }) },
    status: 200,
    text: '{"template":"reindex","name":"reindex","type":"onetime","variables":{"hidden":true}}',
  },
  // everything else below its paths
  {
    title: 'other paths > none of its routes',
    task: 'none',
    request: `GET ${ROOT}/1/nodes`,
    status: 404,
    text: error(404, `There is nothing at ${ROOT}/1/nodes.`),
  },
  {
    title: 'other methods > of a task',
    task: 'none',
    request: `POST ${ROOT}/1`,
    status: 405,
    answered: { allow: 'GET, PUT, DELETE, HEAD, OPTIONS' },
    text: error(405, 'POST is not allowed here; allowed are GET, PUT, DELETE, HEAD, OPTIONS.'),
  },
];
