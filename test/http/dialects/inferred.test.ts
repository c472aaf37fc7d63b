import { readFile } from 'node:fs/promises';
import { jira } from 'tasklane/dialects';
import { afterEach, describe, expect, test } from 'vitest';
import { CHOICES, type Choice } from './inferred.table.ts';
import { DialectWorld, ORIGIN } from './world.ts';

const page = await readFile('docs/dialects.md', 'utf8');

/** Has a test of its own: all tasks of the table are somebody's. */
const NOBODYS = '`submittedBy` of a task without a submitter';

let world: DialectWorld | null = null;
afterEach(async () => {
  await world?.close();
  world = null;
});

/** Rows of the table of what is open, of a dialect: cells. */
function rowsOf(name: string): readonly (readonly string[])[] {
  const part = page.split(`\`${name}(options)\``)[1]?.split('\n## ')[0] ?? '';
  const table = part.split('| open | default | option | test |\n')[1]?.split('\n\n')[0] ?? '';
  return table
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\|\s*|\s*\|$/g, '').trim()));
}

describe.each(CHOICES)('%s', (name, make, choices) => {
  test.each(choices.map((choice) => [choice.open, choice.request, choice] as const))(
    '%s > %s',
    async (_open, _request, choice) => {
      await play(make({}), choice, choice.from);
      await play(make(choice.options), choice, choice.to);
    },
  );

  test('each of them is told of in the docs, with the option', () => {
    const rows = rowsOf(name);
    for (const { open, options } of choices) {
      const [, , option] = rows.find(([first]) => first === open) ?? [];
      expect([open, option]).toEqual([open, expect.stringContaining(`\`${Object.keys(options)[0]}`)]);
    }
  });

  test('what is open has an option and a test, each of it', () => {
    const rows = rowsOf(name);
    expect(rows.length).toBeGreaterThan(5);
    for (const [open, , option, proof] of rows) {
      expect([open, option]).toEqual([open, expect.stringContaining('`')]);
      expect([open, proof]).toEqual([open, expect.stringMatching(/\]\(\.\.\/test\/[^)]+\.test\.ts\)/)]);
      const shares = /`(show|refuse)`/.test(option ?? '');
      if (shares && open !== NOBODYS) expect([open, choices.some((one) => one.open === open)]).toEqual([open, true]);
    }
  });
});

async function play(dialect: ReturnType<typeof jira>, { task: state, request, as }: Choice, part: Choice['from']) {
  world = await DialectWorld.open([dialect]);
  const task = state === 'none' ? null : await world.seed(state);
  const words: Record<string, string> = { origin: ORIGIN };
  if (task !== null) {
    const createdAtSeconds = `${new Date(task.createdAt).toISOString().slice(0, 19)}Z`;
    Object.assign(words, { id: task.id, tail: task.id.slice(-27), createdAtSeconds });
  }
  const fill = (text: string) => text.replace(/\{(\w+)\}/g, (whole, word: string) => words[word] ?? whole);
  const [method = '', path = ''] = fill(request).split(' ');
  const response = await world.ask(path, { method, ...(as === undefined ? {} : { as }) });
  if (part.status !== undefined) expect(response.status).toBe(part.status);
  for (const [field, value] of Object.entries(part.headers ?? {})) {
    expect([field, response.headers.get(field)]).toEqual([field, value]);
  }
  const body: unknown = JSON.parse(await response.text());
  const expected: unknown = part.body === undefined ? body : JSON.parse(fill(JSON.stringify(part.body)));
  if (typeof expected === 'object' && expected !== null) expect(body).toMatchObject(expected);
  else expect(body).toEqual(expected);
  await world.close();
  world = null;
}

test(`jira > ${NOBODYS}`, async () => {
  const show = (shown: object, { submittedBy }: { readonly submittedBy: string | null }) =>
    submittedBy === null ? { ...shown, submittedBy: -1 } : shown;
  world = await DialectWorld.open([jira(), jira({ show, basePath: '/other' })]);
  const { id } = await world.manager.submit('reindex', null, { hold: true });
  const of = async (path: string) => (await (await world?.ask(path, { as: 'admin' }))?.json()) as object;
  expect(await of(`/rest/api/3/task/${id}`)).toMatchObject({ submittedBy: 0 });
  expect(await of(`/other/rest/api/3/task/${id}`)).toMatchObject({ submittedBy: -1 });
});
