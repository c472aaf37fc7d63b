// The public contract as types, kept apart from the library on purpose: what this says, the library must go on saying.
// `types.test.ts` compares the two.

import type { Duration, Optional, Principal, TaskAction, TaskFilter, TaskManager, TaskRecord } from './core.d.ts';
export interface Policy<P extends Principal = Principal> {
  scope(principal: P): TaskFilter | readonly TaskFilter[] | 'all' | 'none';
  can(principal: P, action: TaskAction, task: TaskRecord): boolean;
  submitAs?(principal: P, userId: string): boolean;
}
export declare const ownerOrAdmin: Policy, readOnly: Policy, allowAll: Policy;
/** A map over the manager; its inside is not public. */
export interface Dialect {
  readonly name: string;
}
export type HandlerOptions<P extends Principal = Principal> = Optional<{
  /** `api`: path of our own routes, default `/`. `authenticate`: null is 401. `redact` gives what leaves in place of `value`. */
  api: string | false;
  dialects: readonly Dialect[];
  authenticate: (request: Request) => P | null | Promise<P | null>;
  policy: Policy<NoInfer<P>>;
  hideForbidden: boolean;
  cors: { readonly origin: string | readonly string[] } & Optional<{ credentials: boolean }>;
  redact: (value: unknown, part: 'input' | 'result' | 'log', task: TaskRecord, principal: NoInfer<P> | null) => unknown;
  limits: Optional<{
    bodyBytes: number;
    jsonDepth: number;
    queryParameters: number;
    pageSize: number;
    wait: Duration;
    streams: number;
    submits: { readonly count: number; readonly per: Duration };
  }>;
}>;
export interface TaskHandler {
  (request: Request, options?: Optional<{ basePath: string }>): Promise<Response>;
  matches(request: Request): boolean;
  close(): Promise<void>;
}
export declare function createHandler<P extends Principal>(
  manager: TaskManager,
  options?: HandlerOptions<P>,
): TaskHandler;
export declare function openApiDocument(manager: TaskManager): Record<string, unknown>;
