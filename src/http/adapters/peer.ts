import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/**
 * Loads a framework that an adapter needs at run time. `require` takes ES modules since Node 22.12, at once, so that apps in
 * CommonJS may load the adapter, too.
 * @param adapter that needs it, such as `tasklane/nest`
 * @throws {Error} that says what to install
 */
export function loadPeer<T>(name: string, adapter: string): T {
  try {
    return require(name) as T;
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new Error(`${adapter} needs the package ${name}, which is not installed: npm install ${name}`, {
      cause: error,
    });
  }
}

function isMissing(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND';
}
