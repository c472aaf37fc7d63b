/** As much of it as is used here: it has no types of its own. */
declare module '@waylay/client' {
  type Entity = Readonly<Record<string, unknown>> & { readonly ID: string };
  export interface WaylayTasks {
    create(task: object, params?: object): Promise<{ ID: string; warnings?: readonly object[] }>;
    update(id: string, task: object): Promise<Entity>;
    list(filter?: string | object, params?: object): Promise<Entity[]>;
    count(options?: object): Promise<number | undefined>;
    get(id: string, params?: object): Promise<Entity>;
    start(id: string): Promise<Entity>;
    stop(id: string): Promise<Entity>;
    remove(id: string): Promise<unknown>;
    stopAndRemove(id: string): Promise<unknown>;
    batchRemove(ids: readonly string[]): Promise<unknown>;
    operation(id: string): Promise<Record<string, unknown>>;
    readonly batch: {
      raw(action: string, query: object, parameters?: object): Promise<BatchAnswer>;
      start(ids: readonly string[]): Promise<BatchAnswer>;
      stop(ids: readonly string[]): Promise<BatchAnswer>;
      remove(ids: readonly string[]): Promise<BatchAnswer>;
    };
  }
  export interface BatchAnswer {
    readonly uri: string;
    readonly entity: { readonly id: string };
  }
  export default class Waylay {
    constructor(options: object);
    readonly tasks: WaylayTasks;
  }
}
