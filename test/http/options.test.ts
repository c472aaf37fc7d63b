import { MemoryStorage, OptionError, TaskManager } from 'tasklane';
import { allowAll, createHandler, type HandlerOptions } from 'tasklane/http';
import { describe, expect, test } from 'vitest';

const manager = new TaskManager({ storage: new MemoryStorage() });
const authenticate = (): { id: string } => ({ id: 'user-1' });

describe('createHandler', () => {
  test.each<[string, object]>([
    ['authenticatd', { authenticatd: authenticate }],
    ['api', { api: 'v1' }],
    ['authenticate', { authenticate: 'token' }],
    ['policy', { policy: allowAll }],
    ['policy', { authenticate, policy: { scope: 'all' } }],
    ['policy', { authenticate, policy: null }],
    ['hideForbidden', { hideForbidden: 1 }],
    ['redact', { redact: true }],
    ['cors.origin', { cors: { origin: 'example.com' } }],
    ['cors.origin', { cors: { origin: ['https://a.example/path'] } }],
    ['cors.origin', { cors: { origin: '*', credentials: true } }],
    ['limits', { limits: { pages: 1 } }],
    ['limits.pageSize', { limits: { pageSize: 0 } }],
    ['limits.submits.count', { limits: { submits: { count: 0, per: '1s' } } }],
    ['limits.submits.per', { limits: { submits: { count: 1, per: 'soon' } } }],
    ['limits.scheduleInterval', { limits: { scheduleInterval: 0 } }],
  ])('names what is wrong: %s', (name, options) => {
    expect(() => createHandler(undefined as never)).toThrow('`manager` must be a TaskManager');
    expect(() => createHandler(manager, options as HandlerOptions)).toThrow(OptionError);
    expect(() => createHandler(manager, options as HandlerOptions)).toThrow(name);
  });

  test('takes what is right', () => {
    const cors = { origin: ['https://app.example.com', 'http://localhost:5173'], credentials: true };
    expect(createHandler(manager, { authenticate, policy: allowAll, cors }).bodyBytes).toBe(1_114_112);
  });

  test('what `authenticate` gives types the rest', () => {
    createHandler(manager, {
      authenticate: async () => ({ id: 'user-1', team: 'search' }),
      policy: { scope: ({ team }) => ({ tags: { team } }), can: ({ team }) => team === 'search' },
      redact: (value, _part, _task, principal) => (principal?.team === 'search' ? value : null),
    });
    // @ts-expect-error: principals have no such key
    createHandler(manager, { authenticate, policy: { scope: ({ team }) => ({ tags: { team } }), can: () => true } });
  });

  test('what is no manager is an error at once', () => {
    expect(() => createHandler({ maxInputBytes: 1 } as TaskManager)).toThrow(TypeError);
  });
});
