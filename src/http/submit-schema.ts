import { z } from 'zod';
import { MAX_DEPENDENCIES } from '../flow/dependencies.ts';
import { ON_FAILURE } from '../flow/rules.ts';
import { TaskToSubmit } from './schemas.ts';

const OnFailure = z.enum(ON_FAILURE);
const Id = z.string().min(1).max(200);

/** What a task waits for: ids, and refs of what is submitted with it. */
const DependsOn = z
  .array(z.union([Id, z.strictObject({ id: Id, onFailure: OnFailure.optional() })]))
  .max(MAX_DEPENDENCIES);

/** A child has the parent it is in, and its submitter. */
const Child = TaskToSubmit.omit({ parentId: true, submittedBy: true }).extend({
  ref: Id.optional(),
  onFailure: OnFailure.optional(),
  dependsOn: DependsOn.optional(),
});

// As deep as a request may be, level by level: a schema that refers to itself would follow a body into any depth.
const Level4 = Child.meta({ id: 'SubmitChild4' });
const Level3 = Child.extend({ children: z.array(Level4).optional() }).meta({ id: 'SubmitChild3' });
const Level2 = Child.extend({ children: z.array(Level3).optional() }).meta({ id: 'SubmitChild2' });
const Level1 = Child.extend({ children: z.array(Level2).optional() }).meta({ id: 'SubmitChild' });

/** The body of a submit. */
export const SubmitBody = TaskToSubmit.extend({
  dependsOn: DependsOn.optional(),
  /** Made with it, and it waits for them; up to four levels of children. */
  children: z.array(Level1).optional(),
});

/** A child of any level. */
export type SubmitChild = z.output<typeof Child> & { readonly children?: readonly SubmitChild[] | undefined };
