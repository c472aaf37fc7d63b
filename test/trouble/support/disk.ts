import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A disk of a few MB, to be filled. */
export interface SmallDisk {
  readonly folder: string;
  /** Writes until not one byte more fits. */
  fill(): void;
  /** Gives back what `fill` took. */
  free(): void;
}

/**
 * Mounts a small tmpfs, which takes root on Linux; `use` is not called where that is refused.
 * @returns whether there was a disk
 */
export async function withSmallDisk(use: (disk: SmallDisk) => Promise<void>): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'tasklane-disk-'));
  const mounted = mount(folder);
  try {
    if (mounted) await use(diskAt(folder));
    return mounted;
  } finally {
    if (mounted) execFileSync('umount', [folder]);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether this process is one that has to be able to mount. */
export const isLinuxRoot = process.platform === 'linux' && process.getuid?.() === 0;

function mount(folder: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function diskAt(folder: string): SmallDisk {
  const filler = join(folder, 'filler');
  return {
    folder,
    fill() {
      const file = openSync(filler, 'w');
      try {
        for (let bytes = 65_536; bytes >= 1; ) if (!fits(file, bytes)) bytes = Math.floor(bytes / 2);
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(filler),
  };
}

function fits(file: number, bytes: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(bytes)) === bytes;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
    throw error;
  }
}
