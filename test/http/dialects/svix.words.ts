/** Words of the lines of Svix's table. */
import type { HandlerOptions } from 'tasklane/http';

export const NEW = 'GET /api/v1/background-task/qtask_{tail}';
export const OLD = `${NEW}/`;
export const LIST_NEW = 'GET /api/v1/background-task';
export const LIST_OLD = `${LIST_NEW}/`;
export const ID = '"id":"qtask_{tail}"';
export const AT = '"updatedAt":"{updatedAtText}"';
const REPLAY = '"task":"endpoint.replay"';
export const RUNNING = `${ID},"status":"running",${REPLAY}`;
export const FAILED = `${ID},"status":"failed",${REPLAY}`;
export const FINISHED = `${ID},"status":"finished",${REPLAY}`;
export const BARE = '{"data":{"handler":"reindex"}';
export const HALF = '"progress":{"processed":5,"total":10,"fraction":0.5,"message":"Reticulating splines"}';
export const PAGE = '"done":true,"iterator":"qtask_{tail}","prevIterator":"-qtask_{tail}"}';
export const EMPTY = '{"data":[],"done":true,"iterator":null,"prevIterator":null}';

export const error = (code: string, detail: string): string => `{"code":"${code}","detail":"${detail}"}`;
export const NOT_FOUND = error('not_found', 'No task has the id \\"qtask_{tail}\\".');
export const invalid = (name: string, msg: string, type = 'value_error'): string =>
  `{"detail":[{"loc":["query","${name}"],"msg":"${msg}","type":"${type}"}]}`;
export const key = { 'idempotency-key': 'auto_1' };
export const forbids: HandlerOptions = { policy: { scope: () => 'all', can: () => false } };
