import type { StandardSchemaV1 } from '@standard-schema/spec';
import { type } from 'arktype';
import { defineTask, InputInvalidError, type InputOf } from 'tasklane';
import * as v from 'valibot';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { errorOf } from '../support/gate.ts';
import { useWorld } from '../support/world.ts';

/** By hand: what the specification asks for, and no more. */
const byHand: StandardSchemaV1<{ to: string; copies?: string }, { to: string; copies: number }> = {
  '~standard': {
    version: 1,
    vendor: 'hand',
    validate(value) {
      const { to, copies } = value as { to?: unknown; copies?: string };
      if (typeof to === 'string') return { value: { to, copies: Number(copies ?? '1') } };
      return { issues: [{ message: 'to must be text', path: [{ key: 'to' }] }] };
    },
  },
};

const run = (input: { to: string; copies: number }) => `${input.to} x ${input.copies + 1}`;
const handlers = [
  defineTask({
    name: 'zod',
    input: z.object({ to: z.string(), copies: z.string().default('1').transform(Number) }),
    run,
  }),
  defineTask({
    name: 'valibot',
    input: v.object({ to: v.string(), copies: v.pipe(v.optional(v.string(), '1'), v.transform(Number)) }),
    run,
  }),
  defineTask({
    name: 'arktype',
    input: type({ to: 'string', copies: type('string.numeric.parse').default('1') }),
    run,
  }),
  defineTask({ name: 'hand', input: byHand, run }),
] as const;
const [byZod, byValibot, byArktype] = handlers;

describe('a schema of', () => {
  const world = useWorld('memory');

  test.each(['zod', 'valibot', 'arktype', 'hand'] as const)('%s refuses at submit, with the path', async (name) => {
    const manager = world.manager({ handlers });
    const error = await errorOf(manager.submit(name, { to: 5 } as never));
    expect(error).toBeInstanceOf(InputInvalidError);
    expect(error).toMatchObject({ code: 'input_invalid', issues: [{ path: 'to', message: expect.any(String) }] });
    expect(await manager.count()).toBe(0);
  });

  test.each(['zod', 'valibot', 'arktype', 'hand'] as const)(
    '%s transforms at the attempt, not in the store',
    async (name) => {
      const manager = await world.start({ handlers });
      const plain = await manager.submit(name, { to: 'you' });
      const more = await manager.submit(name, { to: 'you', copies: '4' });
      expect(await plain.result()).toBe('you x 2');
      expect(await more.result()).toBe('you x 5');
      expect((await manager.get(more.id))?.input).toEqual({ to: 'you', copies: '4' });
      expect((await manager.get(plain.id))?.input).toEqual({ to: 'you' });
    },
  );

  test('each library flows into the types of submit and run', () => {
    expectTypeOf<InputOf<typeof byZod>>().toEqualTypeOf<{ to: string; copies?: string | undefined }>();
    expectTypeOf<InputOf<typeof byValibot>>().toEqualTypeOf<{ to: string; copies?: string | undefined }>();
    expectTypeOf<InputOf<typeof byArktype>>().toEqualTypeOf<{ to: string; copies?: string }>();
    const wrong = (manager: ReturnType<typeof world.manager<typeof handlers>>) => [
      // @ts-expect-error to is missing
      () => manager.submit('zod', { copies: '1' }),
      // @ts-expect-error copies is text before it is transformed
      () => manager.submit('valibot', { to: 'you', copies: 1 }),
      // @ts-expect-error copies is text before it is transformed
      () => manager.submit('arktype', { to: 'you', copies: 1 }),
    ];
    expect(wrong).toBeTypeOf('function');
  });

  test('a schema that changes its input in place changes neither the store nor the next attempt', async () => {
    const seen: unknown[] = [];
    const greedy = defineTask<'greedy', { list: number[] }, void>({
      name: 'greedy',
      input: {
        '~standard': {
          version: 1,
          vendor: 'greedy',
          validate(value) {
            (value as { list: number[] }).list.push(99);
            return { value: value as { list: number[] } };
          },
        },
      },
      retry: { maxAttempts: 2, backoff: { type: 'fixed', delay: 10 } },
      run(input) {
        seen.push(input.list);
        if (seen.length === 1) throw new Error('once');
      },
    });
    const manager = await world.start({ handlers: [greedy] });
    const task = await manager.submit(greedy, { list: [1] });
    await world.clock.advance('1s');
    await task.result();
    expect(seen).toEqual([
      [1, 99],
      [1, 99],
    ]);
    expect((await manager.get(task.id))?.input).toEqual({ list: [1] });
  });

  test('issues without a path, with numbers and symbols in it', async () => {
    const issues = [
      { message: 'as a whole' },
      { message: 'in a list', path: ['list', 0, { key: 'name' }] },
      { message: 'strange', path: [Symbol('s')] },
    ];
    const strict = defineTask<'strict', unknown, void>({
      name: 'strict',
      input: { '~standard': { version: 1, vendor: 'test', validate: () => ({ issues }) } },
      run: () => {},
    });
    const error = await errorOf(world.manager({ handlers: [strict] }).submit(strict, 1));
    expect(error).toMatchObject({
      issues: [
        { path: '', message: 'as a whole' },
        { path: 'list.0.name', message: 'in a list' },
        { path: 'Symbol(s)', message: 'strange' },
      ],
    });
  });
});
