import { defineTask, InputInvalidError, OptionError } from 'tasklane';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { controlled } from '../support/controlled.ts';
import { errorOf } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('debounce', (world) => {
  const debounce = { wait: '5s' } as const;

  test('the last input runs, once there was quiet', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const first = await manager.submit('work', 1, { debounce });
    expect(first).toMatchObject({ created: true, matched: null });
    for (const input of [2, 3]) {
      await world.clock.advance('4s');
      expect(await manager.submit('work', input, { debounce })).toMatchObject({
        id: first.id,
        created: false,
        matched: 'debounce',
      });
    }
    await world.clock.advance(4_999);
    expect(await manager.get(first.id)).toMatchObject({ status: 'scheduled', uniqueKey: 'debounce:' });
    await world.clock.advance(1);
    const run = await work.next();
    expect(run.input).toBe(3);
    const next = await manager.submit('work', 4, { debounce });
    expect(next).toMatchObject({ created: true });
    run.finish('done');
    expect(await first.result()).toBe('done');
  });

  test('not beyond maxWait after the first', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const last = { debounce: { wait: '5s', maxWait: '12s' } } as const;
    await manager.submit('work', 0, last);
    for (const input of [1, 2]) {
      await world.clock.advance('4s');
      await manager.submit('work', input, last);
    }
    await world.clock.advance('4s');
    const run = await work.next();
    expect(run.input).toBe(2);
    run.finish();
  });

  test('of each key, handler and submitter there is one task', async () => {
    const manager = world.manager({ handlers: [controlled('work'), controlled('other')] });
    const submits = [
      () => manager.submit('work', 1, { debounce }),
      () => manager.submit('other', 1, { debounce }),
      () => manager.submit('work', 1, { debounce: { ...debounce, key: 'a' } }),
      () => manager.submit('work', 1, { debounce, submittedBy: 'me' }),
    ];
    const first = await Promise.all(submits.map((submit) => submit()));
    const again = await Promise.all(submits.map((submit) => submit()));
    expect(first.every(({ created }) => created)).toBe(true);
    expect(again.map(({ id }) => id)).toEqual(first.map(({ id }) => id));
    expect(new Set(first.map(({ id }) => id)).size).toBe(submits.length);
  });

  test('a unique key of the same text is another', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    await manager.submit('work', 1, { debounce: { ...debounce, key: 'k' } });
    expect(await manager.submit('work', 1, { unique: { key: 'k' } })).toMatchObject({ created: true });
    expect(await manager.submit('work', 1, { throttle: { key: 'k', window: '1s' } })).toMatchObject({ created: true });
    expect(await manager.count()).toBe(3);
  });

  test('thousands in one turn are one task of one write, with the last input', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const handles = await Promise.all(
      Array.from({ length: 5_000 }, (_, n) => manager.submit('work', n, { debounce, parentId: `p${n}` })),
    );
    expect(new Set(handles.map(({ id }) => id)).size).toBe(1);
    expect(handles.map(({ matched }) => matched)).toEqual([null, ...Array.from({ length: 4_999 }, () => 'debounce')]);
    expect(await manager.get(handles[0]?.id ?? '')).toMatchObject({ input: 4_999, parentId: 'p0', version: 1 });
  });

  test('in one turn an idempotency key keeps its meaning', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const [first, second, again] = await Promise.all([
      manager.submit('work', 1, { debounce, idempotencyKey: 'a' }),
      manager.submit('work', 2, { debounce, idempotencyKey: 'b' }),
      manager.submit('work', 1, { debounce, idempotencyKey: 'a' }),
    ]);
    expect([first.matched, second.matched, again.matched]).toEqual([null, 'debounce', 'idempotency']);
    expect(await manager.get(first.id)).toMatchObject({ input: 2 });
    const late = await manager.submit('work', 2, { debounce, idempotencyKey: 'b' });
    expect(late).toMatchObject({ id: first.id, matched: 'idempotency' });
  });

  test('200 at once, over two managers: one task', async () => {
    const managers = [0, 1].map(() => world.manager({ handlers: [controlled('work')] }));
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => managers[index % 2]?.submit('work', index, { debounce })),
    );
    expect(new Set(answers.map((task) => task?.id)).size).toBe(1);
    expect(answers.filter((task) => task?.created)).toHaveLength(1);
    const input = (await managers[0]?.get(answers[0]?.id ?? ''))?.input;
    expect([198, 199]).toContain(input); // the last of one of them
  });

  describe('in a definition', () => {
    const save = defineTask({
      name: 'save',
      input: z.object({ file: z.string(), text: z.string().default('') }),
      debounce: { wait: '5s', key: ({ file }) => file },
      run: ({ text }) => text,
    });

    test('it holds for each submit, by a key that is made of the input', async () => {
      const manager = await world.start({ handlers: [save] });
      const [a, b] = await manager.submitMany([
        { handler: save, input: { file: 'a', text: 'old' } },
        { handler: save, input: { file: 'b' } },
      ]);
      const last = await manager.submit(save, { file: 'a', text: 'new' });
      expect(last).toMatchObject({ id: a?.id, matched: 'debounce' });
      expect(b?.id).not.toBe(a?.id);
      await world.clock.advance('5s');
      expect(await last.result()).toBe('new');
    });

    test('a submit may change its time, and says otherwise with what it names', async () => {
      const manager = world.manager({ handlers: [save] });
      const input = { file: 'a' };
      const first = await manager.submit(save, input);
      const now = world.clock.now();
      expect(await manager.submit(save, input, { debounce: { wait: '1m' } })).toMatchObject({ id: first.id });
      expect(await manager.get(first.id)).toMatchObject({ runAt: now + 60_000, uniqueKey: 'debounce:a' });
      for (const options of [
        { debounce: false },
        { throttle: false },
        { delay: '1s' },
        { runAt: now + 1 },
        { hold: true },
        { unique: { key: 'a' } },
        { throttle: { window: '1s' } },
      ] as const) {
        expect(await manager.submit(save, input, options), JSON.stringify(options)).toMatchObject({ created: true });
      }
    });

    test('an input of which no key can be made is refused', async () => {
      const broken = defineTask({
        name: 'broken',
        debounce: { wait: 1, key: (input: { id: string } | undefined) => (input as { id: string }).id },
      });
      const manager = world.manager({ handlers: [broken] });
      expect(await errorOf(manager.submit(broken, undefined))).toBeInstanceOf(InputInvalidError);
      expect(await errorOf(manager.submit(broken, { id: 7 as never }))).toMatchObject({
        code: 'input_invalid',
        message: expect.stringContaining('Handler broken makes no debounce key'),
      });
      expect(await manager.submit(broken, { id: 'x' })).toMatchObject({ created: true });
      expect(await manager.count()).toBe(1);
    });

    test('a key function cannot change the input', async () => {
      const vain = defineTask({
        name: 'vain',
        debounce: {
          wait: 1,
          key: (input: { id: string }) => {
            const { id } = input;
            input.id = 'changed';
            return id;
          },
        },
      });
      const manager = world.manager({ handlers: [vain] });
      const task = await manager.submit(vain, { id: 'x' });
      expect(await manager.get(task.id)).toMatchObject({ input: { id: 'x' }, uniqueKey: 'debounce:x' });
    });
  });
});

onEachStorage('throttle', (world) => {
  const throttle = { window: '1m' } as const;

  test('the first of a window runs, and answers for the others', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const first = await manager.submit('work', 1, { throttle });
    const run = await work.next();
    expect(run.input).toBe(1);
    run.finish();
    await first.result();
    await world.clock.advance(59_999);
    expect(await manager.submit('work', 2, { throttle })).toMatchObject({ id: first.id, matched: 'throttle' });
    await world.clock.advance(1);
    expect(await manager.submit('work', 3, { throttle })).toMatchObject({ created: true });
    const next = await work.next();
    expect(next.input).toBe(3);
    next.finish();
  });

  test('of each key and submitter there is one', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    for (const options of [{}, { throttle: { ...throttle, key: 'a' } }, { submittedBy: 'me' }]) {
      expect(await manager.submit('work', 1, { throttle, ...options })).toMatchObject({ created: true });
      expect(await manager.submit('work', 1, { throttle, ...options })).toMatchObject({ matched: 'throttle' });
    }
  });

  test('thousands in one turn are one task, with the first input', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const handles = await Promise.all(Array.from({ length: 3_000 }, (_, n) => manager.submit('work', n, { throttle })));
    expect(new Set(handles.map(({ id }) => id)).size).toBe(1);
    expect(handles.filter(({ matched }) => matched === 'throttle')).toHaveLength(2_999);
    expect(await manager.get(handles[0]?.id ?? '')).toMatchObject({ input: 0 });
  });

  test('in a definition, by a key that is made of the input', async () => {
    const ping = defineTask({ name: 'ping', throttle: { window: '1m', key: (host: string) => host } });
    const manager = world.manager({ handlers: [ping] });
    const first = await manager.submit(ping, 'a');
    expect(await manager.submit(ping, 'a')).toMatchObject({ id: first.id, matched: 'throttle' });
    expect(await manager.submit(ping, 'b')).toMatchObject({ created: true });
    expect(await manager.submit(ping, 'a', { delay: '1s' })).toMatchObject({ matched: 'throttle' });
    expect(await manager.submit(ping, 'a', { throttle: false })).toMatchObject({ created: true });
  });
});

onEachStorage('what debounce and throttle refuse', (world) => {
  test.each([
    ['debounce', { debounce: {} }],
    ['debounce', { debounce: null }],
    ['debounce', { debounce: { wait: 0 } }],
    ['debounce', { debounce: { wait: '5s', maxWait: '4s' } }],
    ['debounce', { debounce: { wait: '5s', key: 7 } }],
    ['debounce', { debounce: { wait: '5s' }, delay: '1s' }],
    ['debounce', { debounce: { wait: '5s' }, hold: true }],
    ['debounce', { debounce: { wait: '5s' }, throttle: { window: 1 } }],
    ['throttle', { throttle: {} }],
    ['throttle', { throttle: { window: 'x' } }],
    ['throttle', { throttle: 5 }],
    ['unique', { unique: { key: 'k' }, throttle: { window: 1 } }],
    ['unique.key', { unique: { key: 'debounce:k' } }],
    ['unique.key', { unique: { key: 'throttle:k' } }],
    ['unique.onConflict', { unique: { key: 'k', onConflict: 'merge' } }],
  ])('%s in %j', async (option, options) => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const error = await errorOf(manager.submit('work', 1, options as never));
    expect(error).toBeInstanceOf(OptionError);
    expect((error as OptionError).option).toMatch(new RegExp(`^${option}`));
    expect(await manager.count()).toBe(0);
  });

  test.each([
    ['debounce', { debounce: { wait: 'x' } }],
    ['debounce.key', { debounce: { wait: 1, key: 'text' } }],
    ['throttle', { throttle: null }],
    ['debounce', { debounce: { wait: 1 }, throttle: { window: 1 } }],
  ])('%s in a definition: %j', (option, part) => {
    expect(() => defineTask({ name: 'work', ...(part as object) })).toThrow(
      expect.objectContaining({ code: 'option_invalid', option: expect.stringContaining(option) }),
    );
  });
});
