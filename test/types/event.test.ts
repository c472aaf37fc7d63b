import { defineTask, type InputOf, type ResultOf, type SubmittedTask, TaskManager } from 'tasklane';
import { describe, expectTypeOf, test } from 'vitest';
import { z } from 'zod';

const Invoice = z.object({ id: z.string(), cents: z.number() });
const receipt = defineTask({
  name: 'receipt',
  input: Invoice,
  on: 'invoice.paid',
  run: ({ id }) => id,
});
const stats = defineTask({
  name: 'stats',
  on: ['invoice.paid', 'invoice.refunded'],
  run: (input: { cents: number }) => input.cents,
});
const ship = defineTask({
  name: 'ship',
  on: 'order.packed',
  fromEvent: (payload: { order: { id: string } }) => payload.order.id,
  run: (id: string) => ({ shipped: id }),
});
const plain = defineTask({ name: 'plain', run: (input: string) => input });
const named = defineTask<'named', { to: string }, number>({ name: 'named' });
const handlers = [receipt, stats, ship, plain, named] as const;

/** Only compiled. */
function compiled(_: (m: TaskManager<typeof handlers>) => unknown): void {}

describe('types of events', () => {
  test('a definition with events is still a definition', () => {
    expectTypeOf<InputOf<typeof receipt>>().toEqualTypeOf<{ id: string; cents: number }>();
    expectTypeOf<ResultOf<typeof ship>>().toEqualTypeOf<{ shipped: string }>();
    expectTypeOf<InputOf<typeof ship>>().toEqualTypeOf<string>();
    expectTypeOf<InputOf<typeof named>>().toEqualTypeOf<{ to: string }>();
    compiled(async (m) => {
      expectTypeOf(await (await m.submit('receipt', { id: 'a', cents: 1 })).result()).toEqualTypeOf<string>();
      expectTypeOf(await (await m.submit(stats, { cents: 1 })).result()).toEqualTypeOf<number>();
    });
  });

  test('a payload fits every definition that the event starts', () => {
    compiled(async (m) => {
      await m.publish('invoice.paid', { id: 'a', cents: 1 });
      await m.publish('invoice.refunded', { cents: 1 }, { tags: { a: 1 } });
      // @ts-expect-error `receipt` wants an id
      await m.publish('invoice.paid', { cents: 1 });
      // @ts-expect-error of another type
      await m.publish('invoice.refunded', { cents: '1' });
      // @ts-expect-error no payload
      await m.publish('invoice.refunded');
      // @ts-expect-error no such option
      await m.publish('invoice.refunded', { cents: 1 }, { unique: { key: 'a' } });
    });
  });

  test('where a definition makes the input, the payload is what it takes', () => {
    compiled(async (m) => {
      await m.publish('order.packed', { order: { id: 'o' } });
      // @ts-expect-error that is the input
      await m.publish('order.packed', 'o');
    });
  });

  test('an event that nothing is known of takes anything, or nothing', () => {
    compiled(async (m) => {
      await m.publish('elsewhere');
      await m.publish('elsewhere', 7);
      const event: string = 'computed';
      await m.publish(event, { any: 'thing' });
      await new TaskManager().publish('invoice.paid', 7);
    });
  });

  test('the handles are those of the definitions', () => {
    compiled(async (m) => {
      const handles = await m.publish('invoice.refunded', { cents: 1 });
      expectTypeOf(handles).toEqualTypeOf<readonly SubmittedTask<typeof stats>[]>();
      expectTypeOf(await handles[0]?.result()).toEqualTypeOf<number | undefined>();
    });
  });
});
