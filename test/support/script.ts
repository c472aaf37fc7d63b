import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Script {
  /** What it wrote, line by line, once it has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly lines: readonly string[]; readonly errors: string }>;
  /** Resolves with the first line that begins so; rejects when it ends before. */
  line(start: string): Promise<string>;
  kill(): void;
}

/** Runs an ES module in a process of its own, from the sources, as `node file.js` would in the project's folder. */
export function runScript(code: string, args: readonly string[] = []): Script {
  const child = spawn(
    process.execPath,
    ['--conditions=tasklane-source', '--no-warnings', '--input-type=module', '--eval', code, '--', ...args],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let [output, errors] = ['', ''];
  const waiting = new Set<() => void>();
  const linesOf = () => output.split('\n').filter((line) => line !== '');
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    for (const look of waiting) look();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = new Promise<Awaited<Script['ended']>>((resolve) => {
    child.on('close', (code) => resolve({ code, lines: linesOf(), errors }));
  });
  return {
    ended,
    kill: () => void child.kill('SIGKILL'),
    line(start) {
      return new Promise((resolve, reject) => {
        const look = (): void => {
          const found = linesOf().find((line) => line.startsWith(start) && output.includes(`${line}\n`));
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
        void ended.then(({ code }) => reject(new Error(`It ended with ${code} before it wrote ${start}: ${errors}`)));
      });
    },
  };
}
