import { fileURLToPath } from 'node:url';

export default {
  serverExternalPackages: ['tasklane'],
  turbopack: { root: fileURLToPath(new URL('../..', import.meta.url)) }, // this example lies inside the package it uses
};
