import type { Beat, ClaimAnswer, ClaimRequest, TaskStorage } from 'tasklane';
import type { Trap, TrapCall } from './messages.ts';

/** Wraps a storage so that this process kills or stops itself at one of its calls, the first that does something. */
export function trapped(storage: TaskStorage, { call, when, signal = 'SIGKILL' }: Trap): TaskStorage {
  let sprung = false;
  const spring = (): void => {
    sprung = true;
    process.kill(process.pid, signal);
  };
  return new Proxy(storage, {
    get(target, key) {
      const method: unknown = Reflect.get(target, key);
      if (typeof method !== 'function') return method;
      return (...args: unknown[]): unknown => {
        const springs = !sprung && key === METHODS[call] && concerns(call, args);
        if (springs && when === 'before') spring();
        const answer: unknown = Reflect.apply(method, target, args);
        if (!springs || when === 'before') return answer;
        return Promise.resolve(answer).then((value) => {
          // A claim that found nothing is not the one.
          if (call !== 'claim' || (value as ClaimAnswer).claims.length > 0) spring();
          return value;
        });
      };
    },
  });
}

const METHODS: Readonly<Record<TrapCall, keyof TaskStorage>> = {
  insert: 'insert',
  tick: 'insert',
  claim: 'claim',
  start: 'beat',
  checkpoint: 'beat',
  settle: 'settle',
  change: 'change',
  remove: 'remove',
  takeBack: 'takeBack',
};

function concerns(call: TrapCall, [argument, options]: readonly unknown[]): boolean {
  if (call === 'tick') return options !== undefined && 'documents' in (options as object);
  if (call === 'claim') return (argument as ClaimRequest).limit > 0;
  if (call === 'start') return (argument as Beat).reports.some(({ startedAt }) => startedAt !== undefined);
  if (call === 'checkpoint') return (argument as Beat).reports.some(({ checkpoint }) => checkpoint !== undefined);
  return true;
}
