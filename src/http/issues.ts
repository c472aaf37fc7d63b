import type { z } from 'zod';
import type { InputIssue } from '../errors.ts';

/** What zod found, one entry for each thing that is wrong; an unknown key has a path of its own. */
export function issuesOf(error: z.ZodError): readonly InputIssue[] {
  return error.issues.flatMap((issue): InputIssue | InputIssue[] => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: [...path, key].join('.'), message: 'Unknown key' }));
    }
    return { path: path.join('.'), message: issue.message };
  });
}
