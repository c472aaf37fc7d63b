import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { WorkerInfo } from '../storage/storage.ts';

type Place = Pick<WorkerInfo, 'host' | 'boot' | 'namespace' | 'pid'>;

/** Where this process runs: what another one on the same machine can tell its life by. */
export function thisPlace(): Place {
  const boot = read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  const namespace = read(() => readlinkSync('/proc/self/ns/pid'));
  return { host: hostname(), boot, namespace, pid: process.pid };
}

/**
 * Whether a process is known to be dead: same host, same boot, same pid namespace (where there is one), and no such pid.
 * Anything unsure is no.
 */
export function isKnownDead(other: Place, here: Place): boolean {
  const sameBoot = other.boot !== null && other.boot === here.boot;
  if (other.host !== here.host || !sameBoot || other.namespace !== here.namespace) return false;
  if (other.pid === here.pid) return false;
  try {
    process.kill(other.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function read(how: () => string): string | null {
  try {
    return how();
  } catch {
    return null; // not Linux
  }
}
