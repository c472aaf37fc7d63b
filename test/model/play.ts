import type { SubmitOptions, SubmittedTask } from 'tasklane';
import type { Command, Submit } from './commands.ts';
import type { Host } from './host.ts';
import type { ModelWorld } from './world.ts';

/** Acknowledged submits, by id. */
export type Acknowledged = Map<string, Submit>;

/** Makes one call, and lets it come as far as it can without time. Whatever it is refused with is its own business. */
export async function play(world: ModelWorld, command: Command, acknowledged: Acknowledged): Promise<void> {
  begin(world, command, acknowledged);
  if (command.do === 'advance') await world.clock.advance(command.ms);
  await world.settle();
  await world.checkWaiting();
}

function begin(world: ModelWorld, command: Command, acknowledged: Acknowledged): void {
  switch (command.do) {
    case 'advance':
      return;
    case 'let go':
      world.letGoOf(idOf(world, command.task) ?? '');
      return;
    case 'fault':
      world.living(command.on).line.arm(command.fault);
      return;
    case 'die':
      world.host(command.on)?.die();
      return;
    case 'stop':
      world.host(command.on)?.stop();
      return;
    case 'wake':
      world.host(command.on)?.wake();
      return;
    case 'close':
      close(world, command);
      return;
    default:
      call(world, world.living(command.on), command, acknowledged).catch(() => {});
  }
}

function close(world: ModelWorld, { on, timeout }: Extract<Command, { do: 'close' }>): void {
  const host = world.host(on);
  if (host === undefined || !host.lives) return;
  host.close(timeout).catch(() => {});
}

type Call = Extract<Command, { on: unknown }>;

async function call(world: ModelWorld, host: Host, command: Call, acknowledged: Acknowledged): Promise<void> {
  const { manager } = host;
  switch (command.do) {
    case 'look':
      await Promise.all([manager.stats(), manager.health(), manager.list({ limit: 5 })]);
      return;
    case 'submit': {
      const { handler, acts } = command.submit;
      const options = optionsOf(world, command.submit);
      const task = await manager.submit(handler, { acts }, options);
      if (task.created) world.dependsOn(task.id, options.dependsOn);
      return acknowledge(world, host, task, command.submit, acknowledged);
    }
    case 'submitMany': {
      const items = command.submits.map((submit) => {
        const { handler, acts } = submit;
        return { handler, input: { acts }, ...optionsOf(world, submit) };
      });
      const tasks = await manager.submitMany(items);
      for (const [index, task] of tasks.entries()) {
        const submit = command.submits[index];
        if (submit !== undefined) acknowledge(world, host, task, submit, acknowledged);
        if (task.created) world.dependsOn(task.id, items[index]?.dependsOn);
      }
      return;
    }
    case 'pause': {
      const { resumes } = world;
      await manager.pause(command.handler ?? undefined);
      if (resumes === world.resumes && world.resuming === 0) host.paused.add(command.handler); // nobody resumed it meanwhile
      return;
    }
    case 'resume':
      world.resuming++;
      world.resumed();
      return manager.resume(command.handler ?? undefined).finally(() => {
        world.resuming--;
        world.resumed();
      });
    case 'concurrency':
      manager.setConcurrency(command.limit);
      return;
    case 'cancel':
    case 'restart':
    case 'runNow':
    case 'complete':
    case 'fail':
    case 'update':
      return change(world, host, command);
    default:
      return;
  }
}

type ChangeCommand = Extract<Command, { task: number; on: unknown }>;

async function change(world: ModelWorld, { manager, over, line }: Host, command: ChangeCommand): Promise<void> {
  const id = idOf(world, command.task);
  if (id === undefined) return;
  switch (command.do) {
    case 'restart':
      world.ledger.asksRestart(id);
      await manager.restart(id);
      return;
    case 'runNow':
      world.dependsOn(id, []);
      await manager.runNow(id);
      return;
    case 'update': {
      const { inMs, priority, tags } = command.patch;
      const runAt = inMs === undefined || inMs === null ? inMs : world.clock.now() + inMs;
      await manager.update(id, { priority, tags, runAt });
      return;
    }
    default: {
      const told = await tell(manager, command.do, id);
      // What a claim brings that was under way is older than this.
      if (line.claiming === 0) over.set(id, Math.max(over.get(id) ?? 0, told.attempt));
    }
  }
}

function tell(
  manager: Host['manager'],
  what: 'cancel' | 'complete' | 'fail',
  id: string,
): Promise<{ readonly attempt: number }> {
  if (what === 'cancel') return manager.cancel(id, 'no more');
  return what === 'complete' ? manager.complete(id, 'outside') : manager.fail(id, new Error('outside'));
}

function acknowledge(
  world: ModelWorld,
  host: Host,
  task: SubmittedTask,
  submit: Submit,
  acknowledged: Acknowledged,
): void {
  if (task.created) acknowledged.set(task.id, submit);
  else if (!world.ledger.ids.includes(task.id)) world.problem(`${task.id} answers for another, but nobody knows it`);
  host.follows(task);
}

/** One of the tasks that are there. */
function idOf({ ledger }: ModelWorld, task: number): string | undefined {
  const { ids } = ledger;
  return ids[task % Math.max(1, ids.length)];
}

/** With the ids of what it runs after; what is held waits for nobody. */
function optionsOf(world: ModelWorld, { options, after }: Submit): SubmitOptions {
  const found = after.flatMap(({ task, onFailure }) => {
    const id = idOf(world, task);
    return id === undefined ? [] : [{ id, onFailure }];
  });
  const once = found.filter(({ id }, index) => found.findIndex((other) => other.id === id) === index);
  return once.length === 0 || options.hold ? options : { ...options, dependsOn: once };
}
