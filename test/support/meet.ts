import type { TaskStorage } from 'tasklane';

/**
 * A storage in which something else happens at the worst moment: once, right before or after a call.
 * @param fits which call it is; default: the first of the method
 */
export function meet(
  inner: TaskStorage,
  when: 'before' | 'after',
  method: keyof TaskStorage,
  meanwhile: () => Promise<unknown>,
  fits: (...args: readonly unknown[]) => boolean = () => true,
): TaskStorage {
  let waits = true;
  return new Proxy(inner, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      if (key !== method) return value.bind(target);
      return async (...args: unknown[]) => {
        const isMet = waits && fits(...args);
        if (isMet) waits = false;
        if (isMet && when === 'before') await meanwhile();
        const answer: unknown = await value.apply(target, args);
        if (isMet && when === 'after') await meanwhile();
        return answer;
      };
    },
  });
}
