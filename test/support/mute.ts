import { StorageError, type TaskStorage } from 'tasklane';
import { type Gate, gate } from './gate.ts';

type StorageMethod = keyof TaskStorage;

/** A storage that can be made to hang, as that of a stopped process does, or to fail. */
export interface Mute {
  readonly storage: TaskStorage;
  /** From now on no call is answered, or even made, until `wake`: SIGSTOP. */
  sleep(): void;
  wake(): void;
  /** The next calls of this method fail, so many of them; `after`: although they were done. */
  fail(method: StorageMethod, times?: number, after?: boolean): void;
  /** No more failures. */
  heal(): void;
  /** How often each method was called. */
  readonly calls: Readonly<Record<string, number>>;
}

/** @param deaf no hint arrives */
export function mute(inner: TaskStorage, deaf = false): Mute {
  let asleep: Gate | null = null;
  const failing = new Map<string, { times: number; after: boolean }>();
  const calls: Record<string, number> = {};
  const call = async (method: string, work: () => Promise<unknown>): Promise<unknown> => {
    if (asleep !== null) await asleep.opened;
    const failure = failing.get(method);
    if (failure === undefined || failure.times === 0) return work();
    failure.times--;
    if (failure.after) await work();
    throw new StorageError(`${method} failed`, { ambiguous: failure.after, retryable: true });
  };
  const storage = new Proxy(inner, {
    get(target, key) {
      const value = Reflect.get(target, key, target) as unknown;
      if (typeof value !== 'function') return value;
      if (key === 'watch') return deaf ? () => () => {} : value.bind(target);
      return (...args: unknown[]) => {
        calls[String(key)] = (calls[String(key)] ?? 0) + 1;
        return call(String(key), () => value.apply(target, args) as Promise<unknown>);
      };
    },
  });
  return {
    storage,
    calls,
    sleep() {
      asleep ??= gate();
    },
    wake() {
      asleep?.open();
      asleep = null;
    },
    heal: () => failing.clear(),
    fail(method, times = 1, after = false) {
      failing.set(method, { times, after });
    },
  };
}
