import fc from 'fast-check';
import { OptionError, type TaskFilter } from 'tasklane';
import { describe, expect, test } from 'vitest';
import { matches, parseFilter } from '../../src/task/query.ts';
import { STATUSES } from '../../src/task/status.ts';
import { storedTask } from '../support/stored-task.ts';

const task = storedTask({
  id: 'task_abc',
  handler: 'reindex',
  status: 'failed',
  description: 'All Documents',
  submittedBy: 'user-1',
  entityId: 'doc-7',
  parentId: 'task_parent',
  scheduleId: 'nightly',
  tick: null,
  tags: { team: 'search', size: 3, urgent: true, zero: 0 },
  createdAt: 100,
  updatedAt: 200,
  finishedAt: 300,
});

describe('a filter', () => {
  const cases: [filter: TaskFilter, fits: boolean][] = [
    [{}, true],
    [{ status: 'failed' }, true],
    [{ status: ['queued', 'failed'] }, true],
    [{ status: [] }, false],
    [{ status: 'queued' }, false],
    [{ handler: 'reindex' }, true],
    [{ handler: ['a', 'reindex'] }, true],
    [{ handler: 'Reindex' }, false],
    [{ ids: ['task_abc'] }, true],
    [{ ids: [] }, false],
    [{ submittedBy: 'user-1', entityId: 'doc-7', parentId: 'task_parent', scheduleId: 'nightly' }, true],
    [{ submittedBy: 'user-1', entityId: 'doc-8' }, false],
    [{ submittedBy: { none: true } }, false],
    [{ input: null, result: null }, true],
    [{ input: {} }, false],
    [{ description: 'All Documents' }, true],
    [{ description: 'all documents' }, false],
    [{ tags: { team: 'search' } }, true],
    [{ tags: { team: ['index', 'search'] } }, true],
    [{ tags: { team: { any: true } } }, true],
    [{ tags: { team: [] } }, false],
    [{ tags: { size: 3 } }, true],
    [{ tags: { size: '3' } }, true],
    [{ tags: { urgent: 'true' } }, true],
    [{ tags: { zero: 0 } }, true],
    [{ tags: { zero: { any: true } } }, true],
    [{ tags: { missing: { any: true } } }, false],
    [{ tags: Object.fromEntries([['constructor', { any: true as const }]]) }, false],
    [{ tags: { team: 'search', size: 4 } }, false],
    [{ created: { after: 99, before: 101 } }, true],
    [{ created: { after: 100 } }, false],
    [{ created: { before: 100 } }, false],
    [{ updated: { after: 199 }, finished: { before: 301 } }, true],
    [{ finished: {} }, true],
    [{ text: 'REIN' }, true],
    [{ text: 'all doc' }, true],
    [{ text: 'DOC-7' }, true],
    [{ text: 'task_A' }, true],
    [{ text: 'nightly' }, false],
    [{ text: '' }, true],
    [{ archived: true }, false],
    [{ archived: 'both' }, true],
    [{ archived: false, status: undefined, tags: undefined }, true],
  ];
  test.each(cases)('%j fits: %s', (filter, fits) => {
    expect(matches(task, parseFilter(filter))).toBe(fits);
  });

  test('by a time that is not there fits nothing', () => {
    expect(matches({ ...task, finishedAt: null }, parseFilter({ finished: { after: 0 } }))).toBe(false);
  });

  test('of archived tasks', () => {
    const archived = { ...task, archivedAt: 5 };
    expect(
      [{}, { archived: true }, { archived: 'both' } as const].map((one) => matches(archived, parseFilter(one))),
    ).toEqual([false, true, true]);
  });

  test('all keys AND: with one more key it fits no more than before', () => {
    const key = fc.record(
      {
        status: fc.subarray([...STATUSES]),
        handler: fc.subarray(['reindex', 'mail']),
        submittedBy: fc.constantFrom('user-1', 'user-2'),
        text: fc.constantFrom('doc', 'x', 'user'),
        tags: fc.dictionary(fc.constantFrom('team', 'size'), fc.constantFrom('search', 3), { maxKeys: 2 }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(key, key, (one, other) => {
        const both = parseFilter({ ...other, ...one });
        const disjoint = Object.keys(one).every((name) => !(name in other));
        if (!disjoint) return;
        expect(matches(task, both)).toBe(matches(task, parseFilter(one)) && matches(task, parseFilter(other)));
      }),
    );
  });

  test.each<[option: string, filter: unknown]>([
    ['filter', null],
    ['filter', 'queued'],
    ['filter', { stat: 'queued' }],
    ['filter.status', { status: 'done' }],
    ['filter.status', { status: ['queued', 'done'] }],
    ['filter.status', { status: null }],
    ['filter.status', { status: [undefined] }],
    ['filter.handler', { handler: 5 }],
    ['filter.handler', { handler: ['a', null] }],
    ['filter.ids', { ids: [1] }],
    ['filter.submittedBy', { submittedBy: 5 }],
    ['filter.entityId', { entityId: null }],
    ['filter.text', { text: 5 }],
    ['filter.tags', { tags: null }],
    ['filter.tags', { tags: 'a' }],
    ['filter.tags.a', { tags: { a: null } }],
    ['filter.tags.a', { tags: { a: {} } }],
    ['filter.tags.a', { tags: { a: { any: false } } }],
    ['filter.tags.a', { tags: { a: [{}] } }],
    ['filter.tags.a', { tags: { a: Number.NaN } }],
    ['filter.created', { created: null }],
    ['filter.created', { created: { since: 5 } }],
    ['filter.created.after', { created: { after: '5' } }],
    ['filter.finished.before', { finished: { before: Number.NaN } }],
    ['filter.archived', { archived: 'all' }],
  ])('with a bad %s is refused: %j', (option, filter) => {
    let error: unknown;
    try {
      parseFilter(filter as TaskFilter);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(OptionError);
    expect(error).toMatchObject({ option });
  });
});
