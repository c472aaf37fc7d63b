import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

/** An example as a process of its own: `npm run example NAME`. */
export class Example {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<readonly [code: number | null, signal: string | null]>;

  private constructor(child: ChildProcess, exited: Example['exited'], url: string) {
    this.#child = child;
    this.#exited = exited;
    this.url = url;
  }

  /** Resolves when it has said where it listens. */
  static async start(name: string): Promise<Example> {
    const child = spawn(process.execPath, ['--conditions=tasklane-source', resolve('examples/run.ts'), name], {
      env: { ...process.env, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit') as Promise<[code: number | null, signal: string | null]>;
    let text = '';
    for await (const chunk of child.stdout) {
      text += String(chunk);
      const [url] = /http:\/\/(127\.0\.0\.1|localhost):\d+(?=\s)/.exec(text) ?? [];
      if (url !== undefined) {
        child.stdout.resume();
        return new Example(child, exited, url);
      }
    }
    throw new Error(`The example ended before it was ready: ${text}`);
  }

  get exited(): Promise<readonly [code: number | null, signal: string | null]> {
    return this.#exited;
  }

  /** @returns its exit code and signal */
  async stop(): Promise<readonly [code: number | null, signal: string | null]> {
    this.#child.kill('SIGTERM');
    return this.#exited;
  }
}
