import {
  type AnyTask,
  type DependencyResult,
  defineTask,
  type FlowItem,
  type ItemShape,
  type Items,
  type TaskManager,
} from 'tasklane';
import type { TaskClient } from 'tasklane/client';
import { describe, expectTypeOf, test } from 'vitest';

const double = defineTask({ name: 'double', run: async (input: number) => input * 2 });
const lists = defineTask({ name: 'lists', run: (input: { urls: string[]; kind: 'a' | 'b' }) => input.urls });
const tidy = defineTask({ name: 'tidy', run: () => {} });
/** Not of the manager. */
const foreign = defineTask({ name: 'foreign', run: (input: { a: 1 }) => input.a });
const handlers = [double, lists, tidy] as const;

interface Known {
  readonly m: TaskManager<typeof handlers>;
  readonly client: TaskClient<typeof handlers>;
  /** Knows no handler. */
  readonly any: TaskManager;
}

/** Never run: the compiler looks at it. */
const compiled = (_body: (known: Known) => unknown): void => {};

describe('types of children', () => {
  test('the input of each is that of its handler, by definition and by name, however deep', () => {
    compiled(async ({ m }) => {
      await m.submit(double, 1, {
        priority: 1,
        children: [
          { handler: 'double', input: 1, ref: 'a', delay: '1s', tags: { a: 1 } },
          { handler: lists, input: { urls: ['a'], kind: 'a' }, dependsOn: ['a', { id: 'b', onFailure: 'skip' }] },
          { handler: 'lists', input: { urls: [], kind: 'b' }, onFailure: 'run', progress: 'children' },
          { handler: 'tidy' },
          {
            handler: foreign,
            input: { a: 1 },
            children: [{ handler: 'double', input: 2, children: [{ handler: foreign, input: { a: 1 } }] }],
          },
        ],
      });
      await m.submit(tidy, undefined, { children: [{ handler: double, input: 1 }] });
      await m.submit('tidy', undefined, { children: [] });
      await m.submit('tidy', undefined, { children: undefined });
    });
  });

  test('lists that are computed, too', () => {
    compiled(async ({ m, any }) => {
      await m.submit(tidy, undefined, { children: [1, 2].map((input) => ({ handler: double, input })) });
      await m.submit(tidy, undefined, { children: [1, 2].map((input) => ({ handler: 'double', input })) });
      await m.submit(tidy, undefined, {
        children: Array.from({ length: 3 }, (_, input) => ({ handler: 'double', input, weight: 2 })),
      });
      const mixed = [1, 2].map((input) =>
        input > 1 ? { handler: double, input } : { handler: lists, input: { urls: [], kind: 'a' as const } },
      );
      await m.submit(tidy, undefined, { children: mixed });
      const items: FlowItem[] = [];
      await any.submit('what', undefined, { children: items });
      // @ts-expect-error of another handler
      await m.submit(tidy, undefined, { children: [1, 2].map((input) => ({ handler: lists, input })) });
      // @ts-expect-error of another handler, by name
      await m.submit(tidy, undefined, { children: [1, 2].map((input) => ({ handler: 'lists', input })) });
    });
  });

  test('what is wrong does not compile', () => {
    compiled(async ({ m }) => {
      // @ts-expect-error an input of another type, by name
      await m.submit(tidy, undefined, { children: [{ handler: 'double', input: '1' }] });
      // @ts-expect-error and by definition
      await m.submit(tidy, undefined, { children: [{ handler: double, input: '1' }] });
      // @ts-expect-error of a definition that the manager does not know
      await m.submit(tidy, undefined, { children: [{ handler: foreign, input: { a: 2 } }] });
      // @ts-expect-error a word that is not allowed
      await m.submit(tidy, undefined, { children: [{ handler: lists, input: { urls: [], kind: 'c' } }] });
      // @ts-expect-error it needs an input
      await m.submit(tidy, undefined, { children: [{ handler: 'double' }] });
      // @ts-expect-error no such handler
      await m.submit(tidy, undefined, { children: [{ handler: 'dubble', input: 1 }] });
      // @ts-expect-error no such option
      await m.submit(tidy, undefined, { children: [{ handler: 'double', input: 1, prio: 1 }] });
      // @ts-expect-error an option of another type
      await m.submit(tidy, undefined, { children: [{ handler: 'double', input: 1, priority: '1' }] });
      // @ts-expect-error a list
      await m.submit(tidy, undefined, { children: { handler: 'double', input: 1 } });
    });
  });

  test('nor where it is deeper', () => {
    compiled(async ({ m }) => {
      // @ts-expect-error an input of another type
      await m.submit(tidy, undefined, { children: [{ handler: tidy, children: [{ handler: 'double', input: '2' }] }] });
      // @ts-expect-error no such handler
      await m.submit(tidy, undefined, { children: [{ handler: tidy, children: [{ handler: 'dubble', input: 2 }] }] });
      // @ts-expect-error no such option
      await m.submit(tidy, undefined, { children: [{ handler: tidy, children: [{ handler: 'tidy', prio: 2 }] }] });
      const deep = {
        handler: tidy,
        children: [{ handler: tidy, children: [{ handler: double, input: '' }] }],
      } as const;
      // @ts-expect-error three levels down
      await m.submit(tidy, undefined, { children: [deep] });
    });
  });

  test('of what is submitted together', () => {
    compiled(async ({ m }) => {
      const [one, other] = await m.submitMany([
        { handler: 'double', input: 1, ref: 'one' },
        {
          handler: lists,
          input: { urls: [], kind: 'a' },
          children: [{ handler: 'double', input: 1, onFailure: 'run' }],
        },
      ]);
      expectTypeOf(await one.result()).toEqualTypeOf<number>();
      expectTypeOf(await other.result()).toEqualTypeOf<string[]>();
      // @ts-expect-error an input of another type
      await m.submitMany([{ handler: 'tidy', children: [{ handler: 'double', input: '1' }] }]);
      // @ts-expect-error only a child says what becomes of its parent
      await m.submitMany([{ handler: 'tidy', onFailure: 'run' }]);
    });
  });

  test('of a manager that knows no handler: definitions', () => {
    compiled(async ({ any }) => {
      await any.submit('what', 1, { children: [{ handler: 'ever', input: 5, children: [{ handler: 'there' }] }] });
      await any.submit('what', 1, { children: [{ handler: 'ever', children: [{ handler: double, input: 2 }] }] });
      // @ts-expect-error its input
      await any.submit('what', 1, { children: [{ handler: 'ever', children: [{ handler: double, input: '' }] }] });
      // @ts-expect-error no such option
      await any.submit('what', 1, { children: [{ handler: 'ever', prio: 1 }] });
    });
  });

  test('of the client, and of a handler', () => {
    compiled(async ({ client }) => {
      await client.submit('tidy', undefined, { children: [{ handler: 'double', input: 1 }] });
      await client.submit<'tidy'>('tidy', undefined, { children: [{ handler: 'double', input: 1 }] });
      // @ts-expect-error an input of another type
      await client.submit('tidy', undefined, { children: [{ handler: 'double', input: '1' }] });
      defineTask({
        name: 'parent',
        async run(_input: undefined, { submit }) {
          await submit(tidy, undefined, { children: [{ handler: double, input: 1 }, { handler: 'other' }] });
          // @ts-expect-error an input of another type
          await submit(tidy, undefined, { children: [{ handler: double, input: '1' }] });
        },
      });
    });
  });
});

describe('types of dependencies', () => {
  test('of definitions that are named, told apart by their names', () => {
    defineTask({
      name: 'parent',
      async run(_input: undefined, { dependencies }) {
        for (const found of await dependencies(double, lists)) {
          expectTypeOf(found.handler).toEqualTypeOf<'double' | 'lists'>();
          if (found.handler === 'lists') expectTypeOf(found.result).toEqualTypeOf<string[] | null>();
          else expectTypeOf(found.result).toEqualTypeOf<number | null>();
        }
        expectTypeOf(await dependencies()).toEqualTypeOf<readonly DependencyResult<AnyTask>[]>();
        expectTypeOf((await dependencies())[0]?.result).toBeUnknown();
        // @ts-expect-error of another type
        (await dependencies(double)).map(({ result }): string | null => result);
        // @ts-expect-error a definition, no name
        await dependencies('double');
      },
    });
  });

  // Not of a whole manager: of that some compilers look at every method, and some at a few.
  test('what takes items of known handlers does where items of any handlers are taken', () => {
    interface Takes<T extends AnyTask> {
      take<const Shapes extends readonly ItemShape[]>(items: Items<T, Shapes>): void;
    }
    const widened = (known: Takes<(typeof handlers)[number]>): Takes<AnyTask> => known;
    compiled(({ m }) => widened(null as never) && ((any: TaskManager) => any)(m));
  });
});
