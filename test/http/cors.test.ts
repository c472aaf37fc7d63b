import { defineTask, TaskManager } from 'tasklane';
import { createHandler, type HandlerOptions } from 'tasklane/http';
import { describe, expect, test } from 'vitest';

const ORIGIN = 'https://app.example.com';

async function ask(options: HandlerOptions, init: RequestInit, path = '/tasks'): Promise<Response> {
  return createHandler(new TaskManager(), options)(new Request(`http://x${path}`, init));
}

const preflight: RequestInit = {
  method: 'OPTIONS',
  headers: {
    origin: ORIGIN,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type',
  },
};

describe('cors', () => {
  test('answers a preflight without a credential, and says what may be sent', async () => {
    const response = await ask({ cors: { origin: ORIGIN, credentials: true }, authenticate: () => null }, preflight);
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(response.headers.get('access-control-allow-credentials')).toBe('true');
    expect(response.headers.get('access-control-allow-methods')).toBe('GET,HEAD,POST,PUT,PATCH,DELETE');
    expect(response.headers.get('access-control-allow-headers')).toContain('idempotency-key');
    expect(response.headers.get('vary')).toContain('origin');
  });

  test.each(['/tasks', '/nowhere', '/tasks/task_0'])('marks answers, problems too: %s', async (path) => {
    const response = await ask({ cors: { origin: [ORIGIN] } }, { headers: { origin: ORIGIN } }, path);
    expect(response.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(response.headers.get('access-control-expose-headers')).toContain('location');
    expect(await response.json()).toBeTypeOf('object');
  });

  test('another origin is let in by nothing, and who has none is not bothered', async () => {
    const other = await ask({ cors: { origin: ORIGIN } }, { headers: { origin: 'https://evil.example' } });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
    const none = await ask({ cors: { origin: ORIGIN } }, {});
    expect([...none.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    const off = await ask({}, preflight);
    expect([off.status, off.headers.get('access-control-allow-origin')]).toEqual([204, null]);
  });

  test('what an answer varies with besides stays', async () => {
    const manager = new TaskManager({ handlers: [defineTask({ name: 'quick' })] });
    const { id } = await manager.submit('quick', null, { hold: true });
    const handler = createHandler(manager, { cors: { origin: ORIGIN } });
    const held = await handler(new Request(`http://x/tasks/${id}`, { headers: { origin: ORIGIN, prefer: 'wait=0' } }));
    expect(held.headers.get('vary')?.split(', ').sort()).toEqual(['origin', 'prefer']);
    expect(held.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    await manager.close();
  });

  test('a stream of events is marked and streams on', async () => {
    const response = await ask({ cors: { origin: '*' } }, { headers: { origin: ORIGIN } }, '/events');
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const reader = response.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe(': tasklane\n\n');
    await reader?.cancel();
  });
});
