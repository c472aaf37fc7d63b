import type { TaskStorage } from 'tasklane';

/** What becomes of one call: `run` makes it. */
type Bend = (run: () => Promise<unknown>) => Promise<unknown>;

/** A storage whose calls can be made to fail or to wait. */
export interface Bent {
  readonly storage: TaskStorage;
  /** From now on; null: as they are. */
  bend(method: keyof TaskStorage, how: Bend | null): void;
}

/** Wraps a storage. */
export function bent(storage: TaskStorage): Bent {
  const bends = new Map<string | symbol, Bend>();
  return {
    storage: new Proxy(storage, {
      get(target, key) {
        const method: unknown = Reflect.get(target, key);
        if (typeof method !== 'function') return method;
        return (...args: unknown[]): unknown => {
          const run = (): Promise<unknown> => Reflect.apply(method, target, args);
          return bends.get(key)?.(run) ?? run();
        };
      },
    }),
    bend(method, how) {
      if (how === null) bends.delete(method);
      else bends.set(method, how);
    },
  };
}
