/**
 * Who is answered what, by operation of the OpenAPI document, about a task that `owner` submitted. `nobody` has no credential;
 * `reader` is held to the policy `readOnly`, the others to `ownerOrAdmin`, under which `stranger` has no tasks.
 */
export const CALLERS = ['nobody', 'stranger', 'owner', 'admin', 'reader'] as const;
export type CallerName = (typeof CALLERS)[number];

type Row = readonly [nobody: number, stranger: number, owner: number, admin: number, reader: number];

export const RIGHTS: Readonly<Record<string, Row>> = {
  //                 nobody stranger owner admin reader
  submitTask: /*     */ [401, 202, 202, 202, 403],
  publishEvent: /*   */ [401, 202, 202, 202, 403],
  listTasks: /*      */ [401, 200, 200, 200, 200],
  getTask: /*        */ [401, 404, 200, 200, 200],
  getTaskResult: /*  */ [401, 404, 200, 200, 200],
  cancelTask: /*     */ [401, 404, 202, 202, 403],
  restartTask: /*    */ [401, 404, 202, 202, 403],
  runTaskNow: /*     */ [401, 404, 202, 202, 403],
  updateTask: /*     */ [401, 404, 200, 200, 403],
  deleteTask: /*     */ [401, 404, 204, 204, 403],
  getTaskLog: /*     */ [401, 404, 200, 200, 200],
  getTaskAttempts: /**/ [401, 404, 200, 200, 200],
  explainTask: /*    */ [401, 404, 200, 200, 200],
  getRelatedTasks: /**/ [401, 404, 200, 200, 200],
  listSchedules: /*  */ [401, 200, 200, 200, 200],
  createSchedule: /* */ [401, 201, 201, 201, 403],
  previewSchedule: /**/ [401, 200, 200, 200, 200],
  previewStoredSchedule: [401, 404, 200, 200, 200],
  getSchedule: /*    */ [401, 404, 200, 200, 200],
  replaceSchedule: /**/ [401, 404, 200, 200, 403],
  deleteSchedule: /* */ [401, 404, 204, 204, 403],
  pauseSchedule: /*  */ [401, 404, 200, 200, 403],
  resumeSchedule: /* */ [401, 404, 200, 200, 403],
  triggerSchedule: /**/ [401, 404, 202, 202, 403],
  streamTask: /*     */ [401, 404, 200, 200, 200],
  streamTasks: /*    */ [401, 200, 200, 200, 200],
  listHandlers: /*   */ [401, 200, 200, 200, 200],
  getMe: /*          */ [401, 200, 200, 200, 200],
  getStats: /*       */ [401, 403, 403, 200, 200],
  getHealth: /*      */ [200, 200, 200, 200, 200],
  getReadiness: /*   */ [200, 200, 200, 200, 200],
  getOpenApi: /*     */ [401, 200, 200, 200, 200],
};
