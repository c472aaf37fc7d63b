/**
 * `tasklane/node`: the HTTP surface on `node:http`.
 * @module
 */
export type { FetchHandler } from './fetch-handler.ts';
export { type NodeListener, type NodeListenerOptions, toNodeListener } from './node-listener.ts';
