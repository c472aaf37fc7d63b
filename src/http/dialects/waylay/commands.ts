import { HttpProblem } from '../../problem.ts';
import type { TaskStatus } from './entity.ts';

/** What may be asked of a task, depending on where it stands. */
export type Command = 'start' | 'stop' | 'delete';

/** Which commands each status takes. */
export interface CommandSettings {
  readonly commands: (command: Command, status: TaskStatus) => boolean;
}

/** What Waylay says of each, where it refuses one. */
const REFUSED: Readonly<Record<Command, string>> = {
  start: 'apply action start, for the task',
  stop: 'apply action stop, for the task',
  delete: 'remove task',
};

/** As Waylay has it: what stands may be started and deleted, what goes on stopped. */
export function commandsOf(command: Command, status: TaskStatus): boolean {
  const goesOn = status === 'running' || status === 'pending';
  return command === 'stop' ? goesOn : !goesOn;
}

/** @throws {HttpProblem} 400 */
export function checkCommand({ commands }: CommandSettings, command: Command, status: TaskStatus): void {
  if (!commands(command, status)) throw impossible(command, status);
}

/** 400 about a status that does not allow a command. */
export function impossible(command: Command, status: TaskStatus): HttpProblem {
  return new HttpProblem('transition_refused', `Not possible to ${REFUSED[command]} in status ${status}`);
}
