import { OptionError } from 'tasklane';
import { describe, expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf } from '../support/gate.ts';
import { useWorld } from '../support/world.ts';

/** Calls whose bag of options is not as it should be, and the option that the error names. */
const bags: readonly (readonly [what: string, option: string, call: (manager: Any, id: string) => unknown])[] = [
  ['start', 'options', (manager) => manager.start({ runs: false })],
  ['start', 'run', (manager) => manager.start({ run: 'no' })],
  ['start', 'options', (manager) => manager.start(5)],
  ['close', 'options', (manager) => manager.close({ timeOut: 5 })],
  ['close', 'options', (manager) => manager.close(5)],
  ['get', 'options', (manager, id) => manager.get(id, { archive: true })],
  ['get', 'archived', (manager, id) => manager.get(id, { archived: 'both' })],
  ['get', 'options', (manager, id) => manager.get(id, true)],
  ['list', 'query', (manager) => manager.list({ filters: {} })],
  ['list', 'filter', (manager) => manager.list({ filter: { state: 'queued' } })],
  ['list', 'filter.ids', (manager, id) => manager.list({ filter: { ids: id } })],
  ['count', 'filter', (manager) => manager.count({ state: 'queued' })],
  ['count', 'filter.ids', (manager, id) => manager.count({ ids: id })],
  ['watch', 'filter', (manager) => manager.watch({ state: 'queued' })],
  ['watch', 'options', (manager) => manager.watch({}, { abort: AbortSignal.abort() })],
  ['watch', 'signal', (manager) => manager.watch({}, { signal: true })],
  ['update', 'patch', (manager, id) => manager.update(id, { status: 'queued' })],
  ['update', 'options', (manager, id) => manager.update(id, { priority: 1 }, { version: 1 })],
  ['update', 'options', (manager, id) => manager.update(id, { priority: 1 }, 1)],
  ['delete', 'options', (manager, id) => manager.delete(id, { purged: true })],
  ['delete', 'purge', (manager, id) => manager.delete(id, { purge: 'yes' })],
  ['delete', 'related', (manager, id) => manager.delete(id, { related: 1 })],
  ['delete', 'cancel', (manager, id) => manager.delete(id, { cancel: null })],
  ['delete', 'options', (manager, id) => manager.delete(id, true)],
  ['delete', 'id', (manager) => manager.delete(5)],
  ['attempts', 'id', (manager) => manager.attempts(null)],
  ['log', 'id', (manager) => manager.log({})],
  ['log', 'page', (manager, id) => manager.log(id, { before: 5 })],
  ['log', 'page', (manager, id) => manager.log(id, 5)],
  ['log', 'after', (manager, id) => manager.log(id, { after: -1 })],
  ['log', 'limit', (manager, id) => manager.log(id, { limit: 1_001 })],
  ['submit', 'options', (manager) => manager.submit('work', 1, { attempts: 5 })],
  ['submit', 'options', (manager) => manager.submit('work', 1, 5)],
  ['submit', 'failOnWarning', (manager) => manager.submit('work', 1, { failOnWarning: 'no' })],
  ['submit', 'unique', (manager) => manager.submit('work', 1, { unique: { key: 'a', scopes: 'unfinished' } })],
  [
    'submit',
    'unique.scope',
    (manager) => manager.submit('work', 1, { unique: { key: 'a', scope: { window: '1h', from: 'end' } } }),
  ],
  ['submitMany', 'items.0', (manager) => manager.submitMany([{ handler: 'work', name: 'work' }])],
  ['submitMany', 'items.0', (manager) => manager.submitMany(['work'])],
  ['submitMany', 'items', (manager) => manager.submitMany('work')],
  ['result', 'options', (manager, id) => manager.task(id).result({ timeout: 5 })],
  ['result', 'signal', (manager, id) => manager.task(id).result({ signal: {} })],
  ['events', 'options', (manager, id) => manager.task(id).events({ since: 5 })],
  ['events', 'signal', (manager, id) => manager.task(id).events({ signal: 'stop' })],
];

// biome-ignore lint/suspicious/noExplicitAny: what does not compile is what is tried
type Any = any;

describe('a bag of options', () => {
  const world = useWorld('memory');

  test.each(bags)(
    '%s with a wrong `%s`: OptionError that names it, and nothing is done',
    async (_what, option, call) => {
      const manager = world.manager({ handlers: [controlled('work')] });
      const { id } = await manager.submit('work', 1, { hold: true });
      const before = await manager.get(id);
      const error = await errorOf(new Promise((resolve) => resolve(call(manager, id))));
      expect(error).toBeInstanceOf(OptionError);
      expect(error).toMatchObject({ code: 'option_invalid', option });
      expect(await manager.get(id)).toEqual(before);
      expect(await manager.count()).toBe(1);
    },
  );
});
