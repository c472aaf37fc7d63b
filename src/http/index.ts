/**
 * `tasklane/http`: the HTTP surface of a manager, as a function from `Request` to `Response`. Nothing else of this library
 * loads h3, srvx or zod.
 * @module
 */
export { createHandler, type ServeOptions, type TaskHandler } from './create-handler.ts';
export type { HandlerOptions, HttpLimits } from './options.ts';
export type { WireError, WireProgress, WireTask } from './wire.ts';
