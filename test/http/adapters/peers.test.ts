import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadPeer } from '../../../src/http/adapters/peer.ts';

interface Manifest {
  readonly version: string;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
}

const manifestIn = async (folder: string): Promise<Manifest> => {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
};
const numbers = (version: string): number[] => version.replace('^', '').split('.').map(Number);

const { peerDependencies, peerDependenciesMeta } = await manifestIn('.');

test.each(Object.entries(peerDependencies))(
  '%s is optional, and %s has the version that is tested',
  async (name, range) => {
    expect(peerDependenciesMeta[name]).toEqual({ optional: true });
    const [major, minor = 0] = numbers(range);
    const [testedMajor, testedMinor = 0] = numbers((await manifestIn(`node_modules/${name}`)).version);
    expect(testedMajor).toBe(major);
    expect(testedMinor).toBeGreaterThanOrEqual(minor);
  },
);

test('a framework that is not there is named, with what to install', () => {
  expect(() => loadPeer('@nestjs/nowhere', 'tasklane/nest')).toThrow(
    'tasklane/nest needs the package @nestjs/nowhere, which is not installed: npm install @nestjs/nowhere',
  );
});
