import { type AnyTask, defineTask, TaskManager } from 'tasklane';
import { createHandler, type TaskHandler } from 'tasklane/http';
import { waitFor } from 'tasklane/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';

/** In every input, result and log line. */
const SECRET = 'swordfish';

let manager: TaskManager;
let handler: TaskHandler;
const parts = new Set<string>();

beforeEach(() => {
  const leaky = defineTask({
    name: 'leaky',
    on: 'leak',
    run(_input: unknown, { log }) {
      log(`the word is ${SECRET}`);
      return { word: SECRET };
    },
  });
  manager = new TaskManager({ handlers: [leaky] as unknown as readonly AnyTask[] });
  handler = createHandler(manager, {
    authenticate: (request) => ({ id: request.headers.get('authorization') ?? 'user' }),
    redact: (value, part, task, principal) => {
      parts.add(part);
      expect(task.handler).toBe('leaky');
      return principal?.id === 'trusted' ? value : JSON.parse(JSON.stringify(value).replaceAll(SECRET, '***'));
    },
    policy: { scope: () => 'all', can: () => true },
  });
});
afterEach(async () => {
  await handler.close();
  await manager.close();
});

const ask = async (path: string, method = 'GET', body?: unknown): Promise<string> => {
  const headers = { 'content-type': 'application/json' };
  const request = new Request(`http://x${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await handler(request)).text();
};

test('hides what it should on every way out', async () => {
  const submit = { handler: 'leaky', input: { word: SECRET } };
  const { id } = JSON.parse(await ask('/tasks', 'POST', { ...submit, hold: true })) as { id: string };
  const streaming = ask(`/tasks/${id}/events`);
  const all = ask('/events');
  await manager.start();
  const answers = [
    await ask('/tasks', 'POST', { ...submit, hold: true }),
    await ask(`/tasks/${id}`, 'PATCH', { priority: 1 }),
    await ask(`/tasks/${id}/run-now`, 'POST'),
    await streaming,
  ];
  await waitFor(manager, id, 'succeeded');
  answers.push(
    await ask(`/tasks/${id}`),
    await ask(`/tasks/${id}?wait=1s`),
    await ask('/tasks?include=input,result'),
    await ask(`/tasks/${id}/result`),
    await ask(`/tasks/${id}/log`),
    await ask(`/tasks/${id}/events`),
    await ask(`/tasks/${id}/attempts`),
    await ask(`/tasks/${id}/explain`),
    await ask(`/tasks/${id}/restart`, 'POST'),
    await ask(`/tasks/${(JSON.parse(answers[0] ?? '') as { id: string }).id}/cancel`, 'POST'),
  );
  await handler.close();
  answers.push(await all);
  for (const answer of answers) expect(answer).not.toContain(SECRET);
  expect(answers.filter((answer) => answer.includes('***')).length).toBeGreaterThan(8);
  expect(parts).toEqual(new Set(['input', 'result', 'log']));
});

test('hides it in schedules, in what an event starts, and in what belongs together', async () => {
  await manager.start();
  const rule = { handler: 'leaky', input: { word: SECRET }, every: '1h' };
  const answers = [
    await ask('/schedules', 'POST', { key: 'k', ...rule }),
    await ask('/schedules/k', 'PUT', rule),
    await ask('/schedules/k'),
    await ask('/schedules'),
    await ask('/schedules/k/pause', 'POST'),
    await ask('/schedules/k/resume', 'POST'),
    await ask('/schedules/k/trigger', 'POST'),
    await ask('/publish/leak', 'POST', { payload: { word: SECRET } }),
    await ask('/tasks', 'POST', { ...rule, every: undefined, children: [{ handler: 'leaky', input: SECRET }] }),
  ];
  expect(answers.map((answer) => answer.includes('***'))).toEqual(answers.map(() => true));
  const { id } = JSON.parse(answers.at(-1) ?? '') as { id: string };
  const related = await ask(`/tasks/${id}/related`);
  expect(JSON.parse(related)).toMatchObject({ children: [{ parentId: id }] });
  for (const answer of [...answers, related]) expect(answer).not.toContain(SECRET);
});

test('is told who asks, and what is not there needs no hiding', async () => {
  const { id } = await manager.submit('leaky', undefined, { hold: true });
  expect(JSON.parse(await ask(`/tasks/${id}`))).toMatchObject({ input: null, result: null });
  const { id: other } = await manager.submit('leaky', { word: SECRET }, { hold: true });
  const request = new Request(`http://x/tasks/${other}`, { headers: { authorization: 'trusted' } });
  expect(await (await handler(request)).text()).toContain(SECRET);
});
