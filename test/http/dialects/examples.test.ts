import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** What `npm run example NAME` prints. */
async function printed(name: string): Promise<string> {
  const flags = ['--conditions=tasklane-source', '--no-warnings', resolve('examples/run.ts'), name];
  const { stdout } = await promisify(execFile)(process.execPath, flags, { env: { ...process.env, PORT: '0' } });
  return stdout;
}

const EXAMPLES: readonly (readonly [name: string, output: string])[] = [
  ['jira', 'Delete project DEMO: COMPLETE, 100 %, {"deletedIssues":20}\nDelete project ARCHIVE: CANCELLED\n'],
  ['background-task', '10 of 10, 100 %: Project 10 of 10\nError: The file has no header row\n'],
  [
    'svix',
    'finished endpoint.replay {"handler":"replay-messages","messagesSent":20}\n' +
      `endpoint.replay${' application.stats'.repeat(5)}\n`,
  ],
  [
    'task-v2',
    'page 1: report, Milan: completed, {"office":"Milan","pages":5}\n' +
      'page 1: report, Rome: completed, {"office":"Rome","pages":4}\n' +
      'page 1: inspection, Rome: completed, {"passed":true}\n' +
      'page 2: report, Trento: completed, {"office":"Trento","pages":6}\n' +
      'deleted: 204; then: 404\n',
  ],
  ['waylay', '2 tasks\nAlarm in the attic: running\nAlarm in the cellar: stopped\n0 tasks\n'],
];

test.each(EXAMPLES)('npm run example %s > prints what its users would see', async (name, output) => {
  expect(await printed(name)).toBe(output);
});
