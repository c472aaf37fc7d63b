import fc from 'fast-check';
import type { OnFailure, SubmitOptions } from 'tasklane';

/** Which of the two managers. */
export type Slot = 0 | 1;

/** What a handler does in one of its runs; `ignore` does not look at its signal. */
export type Act =
  | { readonly do: 'return' | 'throw' | 'hang' | 'ignore' | 'report' }
  | { readonly do: 'sleep' | 'snooze'; readonly ms: number };

const HANDLERS = ['work', 'quick', 'narrow'] as const;
export type HandlerName = (typeof HANDLERS)[number];

/** A submit. The nth run of the task does `acts[n]`, later ones the last. */
export interface Submit {
  readonly handler: HandlerName;
  readonly acts: readonly Act[];
  readonly options: SubmitOptions;
  /** Runs after these; `task` picks one of those that are there. */
  readonly after: readonly { readonly task: number; readonly onFailure: OnFailure }[];
}

/** Calls of a storage that can be made to go wrong. */
const CALLS = ['insert', 'claim', 'beat', 'settle', 'change', 'takeBack', 'read', 'document'] as const;
export type Call = (typeof CALLS)[number];

/**
 * What goes wrong at a call: it fails before it did anything, or after it did all (nobody can tell), or takes `ms` before or
 * after; or the process of the manager is gone by then.
 */
export interface Fault {
  readonly kind: 'fails' | 'fails after' | 'slow' | 'slow after' | 'dies' | 'dies after';
  /** Null: of any call. */
  readonly call: Call | null;
  /** So many such calls are left alone. */
  readonly skip: number;
  readonly ms: number;
}

/** One call of the test. `task` picks one of those that are there. */
export type Command =
  | { readonly do: 'look'; readonly on: Slot }
  | { readonly do: 'submit'; readonly on: Slot; readonly submit: Submit }
  | { readonly do: 'submitMany'; readonly on: Slot; readonly submits: readonly Submit[] }
  | {
      readonly do: 'cancel' | 'restart' | 'runNow' | 'complete' | 'fail';
      readonly on: Slot;
      readonly task: number;
    }
  | { readonly do: 'update'; readonly on: Slot; readonly task: number; readonly patch: Patch }
  | { readonly do: 'pause' | 'resume'; readonly on: Slot; readonly handler: HandlerName | null }
  | { readonly do: 'concurrency'; readonly on: Slot; readonly limit: number }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'let go'; readonly task: number }
  | { readonly do: 'fault'; readonly on: Slot; readonly fault: Fault }
  | { readonly do: 'close'; readonly on: Slot; readonly timeout: number }
  | { readonly do: 'die' | 'stop' | 'wake'; readonly on: Slot };

/** `inMs`: runs then; null: held. */
interface Patch {
  readonly priority?: number;
  readonly inMs?: number | null;
  readonly tags?: Readonly<Record<string, string | null>>;
}

const slot = fc.constantFrom<Slot>(0, 1);
const task = fc.nat(11);
const shortly = fc.constantFrom(0, 1, 300, 1_000, 4_000);

const act: fc.Arbitrary<Act> = fc.oneof(
  { withCrossShrink: true },
  { weight: 4, arbitrary: fc.constant<Act>({ do: 'return' }) },
  { weight: 2, arbitrary: fc.constant<Act>({ do: 'throw' }) },
  { weight: 2, arbitrary: fc.constant<Act>({ do: 'hang' }) },
  { weight: 1, arbitrary: fc.constant<Act>({ do: 'ignore' }) },
  { weight: 2, arbitrary: fc.constant<Act>({ do: 'report' }) },
  { weight: 3, arbitrary: shortly.map((ms): Act => ({ do: 'sleep', ms })) },
  { weight: 2, arbitrary: shortly.map((ms): Act => ({ do: 'snooze', ms })) },
);

const options: fc.Arbitrary<SubmitOptions> = fc.oneof(
  { withCrossShrink: true },
  { weight: 6, arbitrary: fc.constant<SubmitOptions>({}) },
  { weight: 2, arbitrary: fc.integer({ min: -2, max: 2 }).map((priority): SubmitOptions => ({ priority })) },
  { weight: 2, arbitrary: shortly.map((delay): SubmitOptions => ({ delay })) },
  { weight: 1, arbitrary: fc.constant<SubmitOptions>({ hold: true }) },
  { weight: 1, arbitrary: fc.constant<SubmitOptions>({ startBy: '2s' }) },
  { weight: 1, arbitrary: fc.constantFrom('a', 'b').map((idempotencyKey): SubmitOptions => ({ idempotencyKey })) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('a', 'b'), fc.constantFrom('unstarted', 'unfinished'), fc.constantFrom('skip', 'error'))
      .map(([key, scope, onConflict]): SubmitOptions => ({ unique: { key, scope, onConflict } })),
  },
);

const submit: fc.Arbitrary<Submit> = fc.record({
  handler: fc.constantFrom(...HANDLERS),
  acts: fc.array(act, { minLength: 1, maxLength: 3 }),
  options,
  after: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    {
      weight: 1,
      arbitrary: fc.array(fc.record({ task, onFailure: fc.constantFrom<OnFailure>('run', 'fail', 'skip') }), {
        minLength: 1,
        maxLength: 2,
      }),
    },
  ),
});

const patch: fc.Arbitrary<Patch> = fc.oneof(
  fc.constantFrom(-1, 5).map((priority) => ({ priority })),
  fc.constantFrom(null, 0, 500).map((inMs) => ({ inMs })),
  fc.constantFrom('x', null).map((tag) => ({ tags: { tag } })),
);

const fault: fc.Arbitrary<Fault> = fc.record({
  kind: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<Fault['kind']>('fails', 'fails after') },
    { weight: 2, arbitrary: fc.constantFrom<Fault['kind']>('slow', 'slow after') },
    { weight: 1, arbitrary: fc.constantFrom<Fault['kind']>('dies', 'dies after') },
  ),
  call: fc.constantFrom<Fault['call']>(
    'insert',
    'claim',
    'claim',
    'beat',
    'settle',
    'settle',
    'change',
    ...CALLS,
    null,
  ),
  skip: fc.nat(3),
  ms: fc.constantFrom(10, 700, 4_000, 15_000),
});

const command: fc.Arbitrary<Command> = fc.oneof(
  { withCrossShrink: true },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('look'), on: slot }) },
  { weight: 24, arbitrary: fc.record({ do: fc.constant('submit'), on: slot, submit }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('submitMany'),
      on: slot,
      submits: fc.array(submit, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('cancel'), on: slot, task }) },
  {
    weight: 20,
    arbitrary: fc.record({ do: fc.constantFrom('restart', 'restart', 'runNow', 'complete', 'fail'), on: slot, task }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('update'), on: slot, task, patch }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('pause', 'resume'),
      on: slot,
      handler: fc.constantFrom<HandlerName | null>(null, ...HANDLERS),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('concurrency'), on: slot, limit: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 36,
    arbitrary: fc.record({
      do: fc.constant('advance'),
      ms: fc.constantFrom(0, 1, 1, 100, 100, 600, 1_000, 2_500, 6_000, 13_000),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('let go'), task }) },
  { weight: 36, arbitrary: fc.record({ do: fc.constant('fault'), on: slot, fault }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('close'), on: slot, timeout: fc.constantFrom(0, 1_500) }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constantFrom('die', 'stop', 'stop', 'wake', 'wake'), on: slot }) },
);

/** Of at least 30 calls. */
export const sequences: fc.Arbitrary<readonly Command[]> = fc.array(command, { minLength: 30, maxLength: 48 });
