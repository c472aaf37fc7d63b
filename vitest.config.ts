import { defineConfig } from 'vitest/config';

// `import … from 'tasklane'` must run the sources: the same condition as in package.json's exports.
// Vitest hands them to Node as well: with `import` among them, a `require` inside a CommonJS package would get ESM.
const conditions = ['tasklane-source', 'node'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    dir: 'test',
    include: ['**/*.test.ts'],
    // They need a browser, which `npm install` does not bring: `npm run test:browser`.
    exclude: ['e2e/**', 'node_modules/**'],
    pool: 'forks',
    execArgv: ['--conditions=tasklane-source'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    watch: false,
  },
});
