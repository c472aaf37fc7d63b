// `npm run bench -- [--rounds 3] [--only part-of-a-name] [--full]`
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { measure, type Result } from './harness.ts';
import { scenarios } from './scenarios.ts';
import { head, lines, reaches } from './table.ts';

const { values: given } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    full: { type: 'boolean', default: false },
  },
});
const rounds = Number(given.rounds);
if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error(`--rounds takes a count, not ${given.rounds}`);
const { only } = given;
const chosen = scenarios.filter(({ name, full }) =>
  only === undefined ? given.full || full !== true : name.includes(only),
);
if (chosen.length === 0)
  throw new Error(`no scenario is called so; there are ${scenarios.map(({ name }) => name).join(', ')}`);

console.log(
  `Node ${process.versions.node}, ${availableParallelism()} cores; rounds: ${rounds}; a fresh process each\n`,
);
console.log(head());
const results: Result[] = [];
for (const scenario of chosen) {
  const measured = await measure(scenario, rounds);
  console.log(lines(scenario, measured));
  results.push(...measured);
}
const withTarget = results.filter((result) => reaches(result, 'must') !== null);
const reached = (which: 'must' | 'stretch'): number => withTarget.filter((result) => reaches(result, which)).length;
console.log(`\nOf ${withTarget.length} targets, ${reached('must')} reach "must" and ${reached('stretch')} "stretch".`);
if (results.some(({ failed }) => failed)) process.exitCode = 1;
