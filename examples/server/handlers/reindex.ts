import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { isAbsolute, posix, relative, resolve, sep } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { defineTask, TaskAbort } from 'tasklane';
import { z } from 'zod';
import type { SearchStore } from '../search.ts';

const READ = /\.(md|txt|ts|js|json)$/;
const PASSED_OVER: readonly string[] = ['node_modules', '.git'];
const MAX_BYTES = 1_048_576;
/** A draft is saved this often, or less often where saving takes long, so that it costs a tenth of the time at most. */
const SAVE_MS = 50;
const SAVE_SHARE = 9;

/** Small: the draft itself says which files are in it. */
interface Checkpoint {
  readonly processed: number;
  readonly published: boolean;
}

/**
 * Builds the full-text index of a folder. The draft of the index is saved while it grows, and then a checkpoint says that
 * there is one: after a crash the next attempt goes on from it.
 */
export function reindexTask(store: SearchStore) {
  return defineTask({
    name: 'reindex',
    description: 'Builds the full-text index of a folder',
    input: z.strictObject({ folder: z.string().min(1).refine(isBelow, 'It must lie below the working directory') }),
    async run({ folder }, { task, signal, progress, log, checkpoint }) {
      const earlier = task.checkpoint as Checkpoint | null; // null as well after a restart by hand: it begins anew
      if (earlier?.published) return { folder, files: earlier.processed }; // all was done but to say so
      const draft = await store.begin(task.id, folder, earlier !== null);
      const note = (published: boolean) => checkpoint({ processed: draft.mark.processed, published });
      try {
        const files = await filesBelow(folder, signal);
        const { processed, last } = draft.mark;
        const left = last === null ? files : files.filter((file) => file > last);
        const total = processed + left.length;
        if (processed > 0) log(`goes on after ${processed} of ${total} files`);
        progress({ processed, total });

        let savedAt = performance.now();
        let pause = SAVE_MS;
        for (const file of left) {
          signal.throwIfAborted();
          draft.add(file, await readFile(file, 'utf8').catch(() => null)); // gone since it was listed
          progress({ processed: draft.mark.processed, total });
          await nextTurn(); // the server answers between two files
          if (performance.now() - savedAt < pause) continue;
          const begun = performance.now();
          await store.save(draft);
          savedAt = performance.now();
          pause = Math.max(SAVE_MS, (savedAt - begun) * SAVE_SHARE);
          await note(false);
        }
        await store.publish(draft);
        await note(true);
        return { folder, files: draft.mark.processed };
      } catch (error) {
        const code = signal.reason instanceof TaskAbort ? signal.reason.code : null;
        if (code === 'shutdown') await store.save(draft).then(() => note(false));
        else if (code !== 'lease_lost') await store.discard(task.id); // nobody will finish it
        throw error;
      }
    },
  });
}

/** Whether a path is relative, and does not lead out of the working directory by its own words. */
function isBelow(path: string): boolean {
  const way = relative(resolve('.'), resolve(path));
  return !isAbsolute(path) && !path.includes('\0') && way !== '..' && !way.startsWith(`..${sep}`);
}

/** Paths of what there is to read, in a fixed order. Links are not followed, nor is one that the folder itself lies behind. */
async function filesBelow(folder: string, signal: AbortSignal): Promise<readonly string[]> {
  const root = await stat(folder).catch(() => null);
  if (!root?.isDirectory()) throw new Error(`There is no folder ${folder} in ${resolve('.')}`);
  const way = relative(await realpath('.'), await realpath(folder));
  if (way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way)) throw new Error(`${folder} leads somewhere else`);
  const files: string[] = [];
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    signal.throwIfAborted();
    for (const entry of await readdir(next, { withFileTypes: true })) {
      const path = posix.join(next, entry.name);
      if (entry.isDirectory() && !PASSED_OVER.includes(entry.name)) folders.push(path);
      if (entry.isFile() && READ.test(entry.name) && (await stat(path)).size <= MAX_BYTES) files.push(path);
    }
  }
  return files.sort((a, b) => (a < b ? -1 : 1));
}
