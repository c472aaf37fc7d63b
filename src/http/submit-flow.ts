import type { FlowItem } from '../flow/graph.ts';
import type { TaskManager } from '../manager.ts';
import type { Caller } from './caller.ts';
import { BodyInvalidProblem } from './problem.ts';
import type { SubmitChild } from './submit-schema.ts';

/** What is submitted with its children. */
interface Family extends Pick<SubmitChild, 'dependsOn' | 'children'> {}

/** As `manager.submit` takes them. */
export function itemsOf(children: readonly SubmitChild[], failOnWarning: boolean | undefined): readonly FlowItem[] {
  return children.map(({ runAt, children: below, ...rest }) => ({
    ...rest,
    failOnWarning,
    runAt: runAt === undefined ? undefined : new Date(runAt),
    ...(below === undefined ? {} : { children: itemsOf(below, failOnWarning) }),
  }));
}

/** All children, and theirs. */
export function childrenOf({ children = [] }: Family): readonly SubmitChild[] {
  return children.flatMap((child) => [child, ...childrenOf(child)]);
}

/**
 * Nobody waits for a task that does not exist for him: its end would tell of it.
 * @throws {BodyInvalidProblem} that names the dependency
 */
export async function requireDependencies(manager: TaskManager, caller: Caller, submitted: Family): Promise<void> {
  const refs = new Set(childrenOf(submitted).map(({ ref }) => ref));
  const named = dependenciesOf(submitted, '').filter(({ id }) => !refs.has(id));
  const issues = await Promise.all(
    named.map(async ({ id, path }) => {
      const task = await manager.get(id, { archived: true });
      return task !== null && caller.sees(task) ? [] : [{ path, message: `There is no task ${JSON.stringify(id)}` }];
    }),
  );
  if (issues.flat().length > 0) throw new BodyInvalidProblem(issues.flat());
}

function dependenciesOf({ dependsOn = [], children = [] }: Family, path: string): { id: string; path: string }[] {
  return [
    ...dependsOn.map((each, at) => ({ id: typeof each === 'string' ? each : each.id, path: `${path}dependsOn.${at}` })),
    ...children.flatMap((child, at) => dependenciesOf(child, `${path}children.${at}.`)),
  ];
}
