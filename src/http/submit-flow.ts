import type { InputIssue } from '../errors.ts';
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
  const issues: InputIssue[] = [];
  for (let from = 0; from < named.length; from += AT_ONCE) {
    const some = named.slice(from, from + AT_ONCE);
    const tasks = await Promise.all(some.map(({ id }) => manager.get(id, { archived: true })));
    for (const [at, { id, path }] of some.entries()) {
      const task = tasks[at] ?? null;
      if (task === null || !caller.sees(task)) issues.push({ path, message: `There is no task ${JSON.stringify(id)}` });
    }
  }
  if (issues.length > 0) throw new BodyInvalidProblem(issues);
}

/** Tasks that are read at once: each may be of several MiB. */
const AT_ONCE = 100;

function dependenciesOf({ dependsOn = [], children = [] }: Family, path: string): { id: string; path: string }[] {
  return [
    ...dependsOn.map((each, at) => ({ id: typeof each === 'string' ? each : each.id, path: `${path}dependsOn.${at}` })),
    ...children.flatMap((child, at) => dependenciesOf(child, `${path}children.${at}.`)),
  ];
}
