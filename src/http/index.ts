/**
 * `tasklane/http`: the HTTP surface of a manager, as a function from `Request` to `Response`. Nothing else of this library
 * loads h3, srvx or zod.
 * @module
 */
export type { Authenticate } from './access.ts';
export type { Redact } from './caller.ts';
export { createHandler, type ServeOptions, type TaskHandler } from './create-handler.ts';
export type { Dialect } from './dialects/dialect.ts';
export { openApiDocument } from './openapi/index.ts';
export type { HandlerOptions, HttpLimits } from './options.ts';
export { allowAll, ownerOrAdmin, type Policy, readOnly } from './policy.ts';
export type { WireError, WireProgress, WireTask } from './wire.ts';
