import type * as ours from 'tasklane';
import type * as client from 'tasklane/client';
import type * as http from 'tasklane/http';
import type * as sqlite from 'tasklane/sqlite';
import { expectTypeOf, test } from 'vitest';
import type * as contractClient from './client.d.ts';
import type * as contract from './core.d.ts';
import type * as contractHttp from './http.d.ts';
import type * as contractSqlite from './sqlite.d.ts';

/** What a caller writes: all that the contract allows must go on being allowed. */
type Accepts<Contract, Ours> = [Contract] extends [Ours] ? true : { readonly refused: Exclude<Contract, Ours> };
/** What a caller is given: it must go on being all that the contract promises. */
type Gives<Contract, Ours> = [Ours] extends [Contract] ? true : { readonly missing: Exclude<Ours, Contract> };
/** A bag of optional keys: a key that is gone would do no harm to the compiler. */
type TakesBag<Contract, Ours> = Accepts<Contract, Ours> & Accepts<keyof Contract, keyof Ours>;
/** Words that are both written and read. */
type Same<Contract, Ours> = Accepts<Contract, Ours> & Gives<Contract, Ours>;

type Mail = contract.TaskDefinition<'mail', { readonly to: string }, number>;
type OurMail = ours.TaskDefinition<'mail', { readonly to: string }, number>;

test('words are the same', () => {
  expectTypeOf<Same<contract.Duration, ours.Duration>>().toEqualTypeOf<true>();
  expectTypeOf<Same<contract.Tag, ours.Tag>>().toEqualTypeOf<true>();
  expectTypeOf<Same<contract.Status, ours.Status>>().toEqualTypeOf<true>();
  expectTypeOf<Same<contract.FinalStatus, ours.FinalStatus>>().toEqualTypeOf<true>();
  expectTypeOf<Same<contract.LogLevel, ours.LogLevel>>().toEqualTypeOf<true>();
  expectTypeOf<Same<contract.TaskAction, ours.TaskAction>>().toEqualTypeOf<true>();
  expectTypeOf<Accepts<contract.SortKey, ours.SortKey>>().toEqualTypeOf<true>();
  expectTypeOf<Accepts<contract.ErrorCode, ours.ErrorCode>>().toEqualTypeOf<true>();
  expectTypeOf<Same<contract.TaskAbort['code'], ours.AbortCode>>().toEqualTypeOf<true>();
  expectTypeOf<Accepts<keyof contract.TaskEvents, keyof ours.TaskEvents>>().toEqualTypeOf<true>();
});

test('what a caller may write is accepted', () => {
  expectTypeOf<TakesBag<contract.SubmitOptions, ours.SubmitOptions>>().toEqualTypeOf<true>();
  expectTypeOf<TakesBag<contract.Unique, ours.Unique>>().toEqualTypeOf<true>();
  expectTypeOf<Accepts<contract.Backoff, ours.Backoff>>().toEqualTypeOf<true>();
  expectTypeOf<Accepts<contract.Retention, ours.Retention>>().toEqualTypeOf<true>();
  expectTypeOf<TakesBag<contract.TaskFilter, ours.TaskFilter>>().toEqualTypeOf<true>();
  expectTypeOf<TakesBag<contract.Range, ours.Range>>().toEqualTypeOf<true>();
  expectTypeOf<TakesBag<contract.ListQuery, ours.ListQuery>>().toEqualTypeOf<true>();
  expectTypeOf<TakesBag<contract.TaskPatch, ours.TaskPatch>>().toEqualTypeOf<true>();
  expectTypeOf<TakesBag<contract.DeleteOptions, ours.DeleteOptions>>().toEqualTypeOf<true>();
  type Rest = 'storage' | 'handlers';
  type Options = Omit<contract.TaskManagerOptions, Rest>;
  expectTypeOf<TakesBag<Options, Omit<ours.TaskManagerOptions, Rest>>>().toEqualTypeOf<true>();
  expectTypeOf<Accepts<Rest, keyof ours.TaskManagerOptions>>().toEqualTypeOf<true>();
  type Definition = Omit<Mail, 'run' | 'authorize'>;
  expectTypeOf<Accepts<Definition, Omit<OurMail, 'run' | 'authorize'>>>().toEqualTypeOf<true>();
  expectTypeOf<Accepts<keyof Mail, keyof OurMail>>().toEqualTypeOf<true>();
  type SqliteOptions = ConstructorParameters<typeof contractSqlite.SqliteStorage>;
  expectTypeOf<Accepts<SqliteOptions, ConstructorParameters<typeof sqlite.SqliteStorage>>>().toEqualTypeOf<true>();
  type Snooze = ConstructorParameters<typeof contract.Snooze>;
  expectTypeOf<Accepts<Snooze, ConstructorParameters<typeof ours.Snooze>>>().toEqualTypeOf<true>();
  expectTypeOf<TakesBag<contractClient.ClientSubmitOptions, client.ClientSubmitOptions>>().toEqualTypeOf<true>();
  expectTypeOf<Accepts<keyof contractClient.TaskClientOptions, keyof client.TaskClientOptions>>().toEqualTypeOf<true>();
  expectTypeOf<Accepts<keyof contractHttp.HandlerOptions, keyof http.HandlerOptions>>().toEqualTypeOf<true>();
});

test('what a caller is given is all that was promised', () => {
  expectTypeOf<Gives<contract.TaskRecord, ours.TaskRecord>>().toEqualTypeOf<true>();
  expectTypeOf<Gives<contract.RecordOf<Mail>, ours.RecordOf<OurMail>>>().toEqualTypeOf<true>();
  expectTypeOf<Gives<contract.TaskErrorInfo, ours.TaskErrorInfo>>().toEqualTypeOf<true>();
  expectTypeOf<Gives<contract.TaskProgress, ours.TaskProgress>>().toEqualTypeOf<true>();
  expectTypeOf<Gives<contract.LogLine, ours.LogLine>>().toEqualTypeOf<true>();
  expectTypeOf<Gives<contract.TaskWarning, ours.TaskWarning>>().toEqualTypeOf<true>();
  expectTypeOf<Gives<contract.TaskContext, ours.TaskContext>>().toEqualTypeOf<true>();
  expectTypeOf<Gives<contract.TaskStats, ours.TaskStats>>().toEqualTypeOf<true>();
  expectTypeOf<Gives<contract.Health, ours.Health>>().toEqualTypeOf<true>();
  expectTypeOf<Gives<contract.Page<string>, ours.Page<string>>>().toEqualTypeOf<true>();
  expectTypeOf<Gives<contract.TaskNews, ours.TaskNews>>().toEqualTypeOf<true>();
  expectTypeOf<Gives<contract.TaskHandle, ours.TaskHandle>>().toEqualTypeOf<true>();
  expectTypeOf<Gives<Pick<contract.SubmittedTask, 'id' | 'warnings'>, ours.SubmittedTask>>().toEqualTypeOf<true>();
  type Events = Pick<ours.TaskEvents, keyof contract.TaskEvents>;
  expectTypeOf<Gives<contract.TaskEvents, Events>>().toEqualTypeOf<true>();
});

test('errors are classes with what was promised', () => {
  type Promised = {
    [K in keyof typeof contract as (typeof contract)[K] extends abstract new (...args: never) => Error ? K : never]: K;
  };
  expectTypeOf<Accepts<keyof Promised, keyof typeof ours>>().toEqualTypeOf<true>();
  expectTypeOf<Gives<contract.TasklaneError['message'], ours.TasklaneError['message']>>().toEqualTypeOf<true>();
  expectTypeOf<Gives<Pick<contract.InputInvalidError, 'issues'>, ours.InputInvalidError>>().toEqualTypeOf<true>();
  expectTypeOf<
    Gives<Pick<contract.PayloadTooLargeError, 'bytes' | 'maxBytes'>, ours.PayloadTooLargeError>
  >().toEqualTypeOf<true>();
  expectTypeOf<Gives<Pick<contract.TransitionError, 'allowed'>, ours.TransitionError>>().toEqualTypeOf<true>();
  expectTypeOf<Gives<Pick<contract.UniqueConflictError, 'taskId'>, ours.UniqueConflictError>>().toEqualTypeOf<true>();
  expectTypeOf<
    Gives<Pick<contract.IdempotencyConflictError, 'taskId'>, ours.IdempotencyConflictError>
  >().toEqualTypeOf<true>();
  expectTypeOf<Gives<Pick<contract.RelatedTasksError, 'related'>, ours.RelatedTasksError>>().toEqualTypeOf<true>();
  expectTypeOf<Gives<Pick<contract.TaskFailedError, 'task'>, ours.TaskFailedError>>().toEqualTypeOf<true>();
  expectTypeOf<
    Gives<Pick<contract.TaskCancelledError, 'task' | 'reason'>, ours.TaskCancelledError>
  >().toEqualTypeOf<true>();
  expectTypeOf<
    Gives<Pick<contract.StorageError, 'ambiguous' | 'retryable'>, ours.StorageError>
  >().toEqualTypeOf<true>();
  expectTypeOf<Gives<Pick<contract.Snooze, 'delayMs'>, ours.Snooze>>().toEqualTypeOf<true>();
});

/** Methods that take what the contract's take: overloads and generics are tried by calls in `test/types`. */
type Simple = Exclude<keyof contract.TaskManager, 'submit' | 'submitMany' | 'register' | 'on' | 'setConcurrency'>;

test('the manager has every method, and each takes what it took', () => {
  expectTypeOf<Accepts<keyof contract.TaskManager, keyof ours.TaskManager>>().toEqualTypeOf<true>();
  type Arguments<T> = { [K in Simple & keyof T]: T[K] extends (...args: infer A) => unknown ? A : never };
  expectTypeOf<Accepts<Arguments<contract.TaskManager>, Arguments<ours.TaskManager>>>().toEqualTypeOf<true>();
  type Results<T> = { [K in Simple & keyof T]: T[K] extends (...args: never) => infer R ? R : never };
  expectTypeOf<Gives<Results<contract.TaskManager>, Results<ours.TaskManager>>>().toEqualTypeOf<true>();
  expectTypeOf<Accepts<keyof contractClient.TaskClient, keyof client.TaskClient>>().toEqualTypeOf<true>();
  expectTypeOf<Accepts<keyof contractHttp.TaskHandler, keyof http.TaskHandler>>().toEqualTypeOf<true>();
  expectTypeOf<Gives<Parameters<contractHttp.Policy['can']>, Parameters<http.Policy['can']>>>().toEqualTypeOf<true>();
});
