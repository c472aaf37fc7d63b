import {
  type AnyTask,
  type Duration,
  defineTask,
  type InputOf,
  type RecordOf,
  type ResultOf,
  type SubmittedTask,
  TaskManager,
  type TaskRecord,
} from 'tasklane';
import { waitFor } from 'tasklane/testing';
import { describe, expectTypeOf, test } from 'vitest';
import { z } from 'zod';

const reindex = defineTask({
  name: 'reindex',
  input: z.object({ folder: z.string(), depth: z.number().default(3), since: z.coerce.date<string>() }),
  run: (input) => ({ files: input.depth, at: input.since.getTime() }),
});
const double = defineTask({ name: 'double', run: async (input: number) => input * 2 });
const tidy = defineTask({ name: 'tidy', run: () => {} });
interface MailInput {
  to: string;
}
interface MailResult {
  messageId: string;
}
const mail = defineTask<'mail', MailInput, MailResult>({ name: 'mail' });
const handlers = [reindex, double, tidy, mail] as const;

/** Never run: the compiler looks at it. */
const compiled = (_body: (manager: TaskManager<typeof handlers>) => unknown): void => {};
const manager = new TaskManager({ handlers });

describe('types of a definition', () => {
  test('its name is a literal, its input what submit takes, its result what run gives', () => {
    expectTypeOf(reindex.name).toEqualTypeOf<'reindex'>();
    expectTypeOf<InputOf<typeof reindex>>().toEqualTypeOf<{
      folder: string;
      depth?: number | undefined;
      since: string;
    }>();
    expectTypeOf<ResultOf<typeof reindex>>().toEqualTypeOf<{ files: number; at: number }>();
    expectTypeOf<InputOf<typeof double>>().toEqualTypeOf<number>();
    expectTypeOf<ResultOf<typeof double>>().toEqualTypeOf<number>();
    expectTypeOf<ResultOf<typeof tidy>>().toEqualTypeOf<void>();
    expectTypeOf<InputOf<typeof mail>>().toEqualTypeOf<MailInput>();
    expectTypeOf<ResultOf<typeof mail>>().toEqualTypeOf<MailResult>();
  });

  test('run is given what the schema makes of the input', () => {
    defineTask({
      name: 'seen',
      input: z.object({ since: z.coerce.date<string>() }),
      run(input, { task, signal, closing, progress, log, checkpoint }) {
        expectTypeOf(input).toEqualTypeOf<{ since: Date }>();
        expectTypeOf(task).toExtend<TaskRecord>();
        expectTypeOf(task.checkpoint).toBeUnknown();
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
        expectTypeOf(closing).toEqualTypeOf<AbortSignal>();
        expectTypeOf(progress).returns.toBeVoid();
        expectTypeOf(log).returns.toBeVoid();
        expectTypeOf(checkpoint).returns.toEqualTypeOf<Promise<void>>();
      },
    });
  });

  test('the record of one is made of its name, input and result', () => {
    expectTypeOf<RecordOf<typeof double>>().toEqualTypeOf<TaskRecord<'double', number, number>>();
    expectTypeOf<RecordOf<typeof double>['result']>().toEqualTypeOf<number | null>();
  });

  test('what is wrong does not compile', () => {
    compiled(() => {
      // @ts-expect-error a name is needed
      defineTask({ run() {} });
      // @ts-expect-error no such option
      defineTask({ name: 'a', retries: 3 });
      // @ts-expect-error a duration has a unit that is known
      defineTask({ name: 'a', timeout: '10 minutes' });
      // @ts-expect-error a backoff has a type that is known
      defineTask({ name: 'a', retry: { backoff: { type: 'linear' } } });
      // @ts-expect-error an input is a Standard Schema
      defineTask({ name: 'a', input: { type: 'object' } });
      // @ts-expect-error what run takes is what the schema makes
      defineTask({ name: 'a', input: z.string(), run: (input: number) => input });
    });
  });

  test('durations', () => {
    expectTypeOf<'30s'>().toExtend<Duration>();
    expectTypeOf<'1.5h'>().toExtend<Duration>();
    expectTypeOf<5>().toExtend<Duration>();
    expectTypeOf<'30'>().not.toExtend<Duration>();
    expectTypeOf<'30sec'>().not.toExtend<Duration>();
  });
});

describe('types of submit', () => {
  test('flow from the definition, and from its name', () => {
    compiled(async (m) => {
      const byDefinition = await m.submit(reindex, { folder: 'docs', since: '2030' });
      expectTypeOf(byDefinition).toEqualTypeOf<SubmittedTask<typeof reindex>>();
      expectTypeOf(await byDefinition.result()).toEqualTypeOf<{ files: number; at: number }>();
      const byName = await m.submit('reindex', { folder: 'docs', since: '2030', depth: 1 });
      expectTypeOf(await byName.result()).toEqualTypeOf<{ files: number; at: number }>();
      expectTypeOf(await (await m.submit('mail', { to: 'you' })).result()).toEqualTypeOf<MailResult>();
      expectTypeOf(await (await m.submit(double, 1)).result()).toEqualTypeOf<number>();
    });
  });

  test('the input may be left out only where undefined will do', () => {
    compiled(async (m) => {
      await m.submit(tidy);
      await m.submit('tidy', undefined, { priority: 1 });
      // @ts-expect-error it needs an input
      await m.submit(double);
      // @ts-expect-error it needs an input
      await m.submit('reindex');
      // @ts-expect-error it needs an input
      await m.submitMany([{ handler: 'double' }]);
      await m.submitMany([{ handler: 'tidy' }]);
    });
  });

  test('wrong inputs, names and options do not compile', () => {
    compiled(async (m) => {
      // @ts-expect-error another type
      await m.submit(double, '1');
      // @ts-expect-error a key is missing
      await m.submit('reindex', { folder: 'docs' });
      // @ts-expect-error what the schema makes, not what it takes
      await m.submit('reindex', { folder: 'docs', since: new Date() });
      // @ts-expect-error no such handler
      await m.submit('reindx', { folder: 'docs', since: '2030' });
      // @ts-expect-error no such option
      await m.submit(double, 1, { prio: 1 });
      // @ts-expect-error no duration
      await m.submit(double, 1, { delay: 'soon' });
      // @ts-expect-error no tag
      await m.submit(double, 1, { tags: { a: {} } });
      // @ts-expect-error no scope
      await m.submit(double, 1, { unique: { key: 'a', scope: 'forever' } });
    });
  });

  test('a definition that is not of the list may be submitted, with its own types', () => {
    const other = defineTask({ name: 'other', run: (input: { a: 1 }) => input.a });
    compiled(async (m) => {
      expectTypeOf(await (await m.submit(other, { a: 1 })).result()).toEqualTypeOf<1>();
      // @ts-expect-error its input
      await m.submit(other, { a: 2 });
    });
  });

  test('submitMany gives a handle for each, by its place', () => {
    compiled(async (m) => {
      const [one, other] = await m.submitMany([
        { handler: double, input: 1, priority: 1 },
        { handler: 'mail', input: { to: 'you' }, delay: '1s' },
      ]);
      expectTypeOf(await one.result()).toEqualTypeOf<number>();
      expectTypeOf(await other.result()).toEqualTypeOf<MailResult>();
      const many = await m.submitMany([1, 2].map((input) => ({ handler: double, input })));
      expectTypeOf(await many[0]?.result()).toEqualTypeOf<number | undefined>();
      // @ts-expect-error the input of another
      await m.submitMany([{ handler: double, input: { to: 'you' } }]);
      // @ts-expect-error no such option
      await m.submitMany([{ handler: double, input: 1, prio: 1 }]);
    });
  });

  test('whether it was created says what matched', () => {
    compiled(async (m) => {
      const task = await m.submit(double, 1);
      if (task.created) expectTypeOf(task.matched).toBeNull();
      else expectTypeOf(task.matched).toEqualTypeOf<'idempotency' | 'unique' | 'debounce' | 'throttle'>();
    });
  });
});

describe('types of events, lists and handles', () => {
  test('records are told apart by their handler', () => {
    compiled(async (m) => {
      const { items } = await m.list({ filter: { handler: 'double' }, sort: '-priority' });
      for (const task of items) {
        expectTypeOf(task.handler).toEqualTypeOf<'reindex' | 'double' | 'tidy' | 'mail'>();
        if (task.handler === 'mail') {
          expectTypeOf(task.input).toEqualTypeOf<MailInput>();
          expectTypeOf(task.result).toEqualTypeOf<MailResult | null>();
        }
      }
      const one = await m.get('task_1');
      if (one?.handler === 'double') expectTypeOf(one.input).toEqualTypeOf<number>();
    });
  });

  test('events too, and each has what its name says', () => {
    compiled((m) => {
      m.on('task:succeeded', (event) => {
        if (event.handler !== 'double') return;
        expectTypeOf(event.task.input).toEqualTypeOf<number>();
        expectTypeOf(event.task.result).toEqualTypeOf<number | null>();
      });
      m.on('task:progress', ({ progress }) => expectTypeOf(progress.fraction).toEqualTypeOf<number | null>());
      m.on('task:retrying', ({ error, runAt }) => {
        expectTypeOf(error.message).toBeString();
        expectTypeOf(runAt).toBeNumber();
      });
      m.on('task:cancelled', ({ reason }) => expectTypeOf(reason).toEqualTypeOf<string | null>());
      m.on('warning', ({ code, taskId }) => {
        expectTypeOf(code).toBeString();
        expectTypeOf(taskId).toEqualTypeOf<string | null>();
      });
      m.on('error', ({ error }) => expectTypeOf(error).toBeUnknown());
      expectTypeOf(m.on('task:created', () => {})).toEqualTypeOf<() => void>();
      // @ts-expect-error no such event
      m.on('task:done', () => {});
      // @ts-expect-error no such key
      m.on('task:created', ({ progress }) => progress);
    });
  });

  test('streams are told apart by type and handler', () => {
    compiled(async (m) => {
      for await (const event of m.watch({ handler: 'double' })) {
        if (event.type === 'log') expectTypeOf(event.message).toBeString();
        else if (event.type === 'progress') expectTypeOf(event.task.progress.message).toEqualTypeOf<string | null>();
        else expectTypeOf(event.type).toEqualTypeOf<'status'>();
        if (event.handler === 'double') expectTypeOf(event.task.input).toEqualTypeOf<number>();
      }
      for await (const event of (await m.submit(double, 1)).events()) {
        expectTypeOf(event.handler).toEqualTypeOf<'double'>();
      }
    });
  });

  test('a handle by id is of any of the handlers', () => {
    compiled(async (m) => {
      expectTypeOf(await m.task('task_1').result()).toEqualTypeOf<ResultOf<(typeof handlers)[number]>>();
      const task = await waitFor(m, 'task_1', 'succeeded');
      if (task.handler === 'mail') expectTypeOf(task.result).toEqualTypeOf<MailResult | null>();
    });
  });

  test('without handlers everything is unknown, and any name will do', () => {
    compiled(async () => {
      const plain = new TaskManager();
      expectTypeOf(plain).toEqualTypeOf<TaskManager<readonly AnyTask[], AnyTask>>();
      const task = await plain.submit('anything', { at: 'all' }, { priority: 1 });
      expectTypeOf(await task.result()).toBeUnknown();
      const record = await plain.get('task_1');
      expectTypeOf(record?.input).toBeUnknown();
      expectTypeOf(await (await plain.submit(double, 1)).result()).toEqualTypeOf<number>();
    });
  });

  test('wrong options, filters and patches do not compile', () => {
    compiled(async (m) => {
      // @ts-expect-error no such option
      new TaskManager({ concurency: 1 });
      // @ts-expect-error no duration
      new TaskManager({ lease: '30 seconds' });
      // @ts-expect-error no such status
      await m.list({ filter: { status: 'done' } });
      // @ts-expect-error no such key to sort by
      await m.list({ sort: 'input' });
      // @ts-expect-error cannot be changed
      await m.update('task_1', { status: 'succeeded' });
      const task = await m.get('task_1');
      // @ts-expect-error read only
      if (task !== null) task.status = 'failed';
      await m.update('task_1', { tags: { a: null }, runAt: null });
    });
  });

  test('a manager of some handlers goes where any manager will do', () => {
    const takesAny = (_manager: TaskManager): void => {};
    takesAny(manager);
    takesAny(new TaskManager());
  });
});
