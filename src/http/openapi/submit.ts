import type { z } from 'zod';
import type { AnyTask } from '../../handler/define.ts';
import { inputSchemaOf } from '../handler-schema.ts';
import type { Components } from './components.ts';

type Json = Record<string, unknown>;

/**
 * The body of a submit: one schema for each handler, which `handler` tells apart. They are named, as a discriminator can only
 * refer to names.
 */
export function submitSchema(body: z.ZodType, handlers: readonly AnyTask[], components: Components): Json {
  const common = components.schemaOf(body, 'input');
  if (handlers.length === 0) return components.add('Submit', common);
  const mapping: Record<string, string> = {};
  const oneOf = handlers.map(({ name, description, input, deprecated }) => {
    const component = `Submit.${name}`; // names of handlers fit
    mapping[name] = `#/components/schemas/${component}`;
    const schema = inputSchemaOf(input);
    const properties = {
      ...(common.properties as Json),
      handler: { type: 'string', const: name },
      input: components.adopt(schema, `Input.${name}.`),
    };
    const required = ['handler', ...(input === undefined || acceptsNothing(input) ? [] : ['input'])];
    return components.add(component, {
      ...common,
      ...(description === undefined ? undefined : { description }),
      ...(deprecated ? { deprecated: true } : undefined),
      properties,
      required,
    });
  });
  return { oneOf, discriminator: { propertyName: 'handler', mapping } };
}

/** Whether a schema takes a submit without an input. One that needs time, or throws, is not waited for. */
function acceptsNothing(input: NonNullable<AnyTask['input']>): boolean {
  try {
    const outcome = input['~standard'].validate(undefined);
    if (!(outcome instanceof Promise)) return outcome.issues === undefined;
    outcome.catch(() => {});
  } catch {
    // nothing can be said of it
  }
  return true;
}
