import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** On the disk of the work tree: what systems call temporary may be memory. */
const ROOT = fileURLToPath(new URL('../../node_modules/.cache/bench/', import.meta.url));

/** The path of a file that is not there yet, in a folder that goes when the process ends. */
export function temporaryFile(): string {
  mkdirSync(ROOT, { recursive: true });
  const folder = mkdtempSync(ROOT);
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'tasks.db');
}
