import type { StandardSchemaV1 } from '@standard-schema/spec';
import { InputInvalidError, type InputIssue } from '../errors.ts';

/**
 * Runs a handler's schema.
 * @returns what it makes of the input; a promise only where the schema is asynchronous
 * @throws {InputInvalidError}
 */
export function validate(schema: StandardSchemaV1, input: unknown): unknown {
  const outcome = schema['~standard'].validate(input);
  return outcome instanceof Promise ? outcome.then(parsed) : parsed(outcome);
}

function parsed(outcome: StandardSchemaV1.Result<unknown>): unknown {
  if (outcome.issues === undefined) return outcome.value;
  throw new InputInvalidError('The input is not valid', outcome.issues.map(toIssue));
}

function toIssue({ message, path = [] }: StandardSchemaV1.Issue): InputIssue {
  const keys = path.map((segment) => String(typeof segment === 'object' ? segment.key : segment));
  return { path: keys.join('.'), message };
}
