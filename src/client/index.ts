/**
 * `tasklane/client`: the HTTP API from a browser, Node or an edge runtime. Nothing of the server comes along.
 * @module
 */
export * from '../errors.ts';
export type { ClientNews } from './news.ts';
export type { Listed } from './record.ts';
export type { ClientRelated, ClientRelatedTask } from './related.ts';
export type { ClientSchedules } from './schedules.ts';
export type { ClientPublishOptions, ClientSubmitOptions } from './submit-body.ts';
export { TaskClient } from './task-client.ts';
export type { HeaderMap, TaskClientOptions } from './transport.ts';
