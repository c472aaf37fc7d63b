/**
 * `tasklane/dialects`: published task APIs that `createHandler` speaks beside our own, so that their clients work as they are.
 * @module
 */
export { type BackgroundTaskOptions, backgroundTask } from './background-task/index.ts';
export type { Dialect, Refusal } from './dialect.ts';
export { type JiraOptions, jira } from './jira/index.ts';
export type { DialectOptions, Show, Submitting, ToSubmit } from './options.ts';
export { type SvixOptions, svix } from './svix/index.ts';
export { type TaskV2Options, taskV2 } from './task-v2/index.ts';
export type { TaskV2 } from './task-v2/task.ts';
export type { Update } from './task-v2/update.ts';
export { type WaylayOptions, waylay } from './waylay/index.ts';
