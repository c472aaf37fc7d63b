// Builds and starts the app in this folder, as in production. Next.js does not know the condition that the other examples run
// the sources of tasklane with, so it needs `npm run build` before.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const cwd = fileURLToPath(new URL('.', import.meta.url));
const program = fileURLToPath(import.meta.resolve('next/dist/bin/next'));
const env: NodeJS.ProcessEnv = { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' };

async function next(...options: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [program, ...options], { cwd, env, stdio: 'inherit' });
  const stop = (): boolean => child.kill('SIGTERM');
  process.once('SIGTERM', stop);
  const [code] = (await once(child, 'exit')) as [number | null];
  process.off('SIGTERM', stop);
  return code ?? 0;
}

process.exitCode = await next('build');
if (process.exitCode === 0) {
  process.exitCode = await next('start', '--hostname', '127.0.0.1', '--port', process.env.PORT ?? '3000');
}
