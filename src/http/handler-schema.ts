import type { z } from 'zod';
import type { AnyTask } from '../handler/define.ts';
import type { Handlers } from './schemas.ts';

/** A handler as `GET /handlers` has it. */
export function describeHandler({
  name,
  description,
  input,
  deprecated,
}: AnyTask): z.output<typeof Handlers>['items'][number] {
  return { name, description: description ?? null, input: inputSchemaOf(input), deprecated: deprecated ?? false };
}

/** What a Standard JSON Schema says of its input; `{}`, anything, for a schema that cannot tell. */
export function inputSchemaOf(input: AnyTask['input']): Record<string, unknown> {
  const standard = input?.['~standard'] as
    | { readonly jsonSchema?: { input(options: { target: string }): Record<string, unknown> } }
    | undefined;
  try {
    return standard?.jsonSchema?.input({ target: 'draft-2020-12' }) ?? {};
  } catch {
    return {}; // it holds what JSON Schema has no words for
  }
}
