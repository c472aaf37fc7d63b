// Prints "passed failed skipped" of a report of Vitest's JSON reporter.
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
// A file that could not be loaded has no tests of its own, yet it failed.
const unloaded = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
console.log(
  report.numPassedTests,
  report.numFailedTests + unloaded.length,
  report.numPendingTests + (report.numTodoTests ?? 0),
);
