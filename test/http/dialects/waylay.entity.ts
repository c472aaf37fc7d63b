import { expect } from 'vitest';
import { ENTITY } from './waylay.table.ts';

/** Checks the keys of an entity, their order and types. */
export function expectEntity(entity: Readonly<Record<string, unknown>>): void {
  const present = ENTITY.filter(([key, , always]) => always || Object.hasOwn(entity, key));
  expect(Object.keys(entity)).toEqual(present.map(([key]) => key));
  for (const [key, type] of present) {
    const value = entity[key];
    if (type === 'integer') expect([key, Number.isSafeInteger(value)]).toEqual([key, true]);
    else if (type === 'array') expect([key, Array.isArray(value)]).toEqual([key, true]);
    else expect([key, value === null, typeof value]).toEqual([key, false, type]);
  }
}
