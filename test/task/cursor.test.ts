import fc from 'fast-check';
import { CursorError } from 'tasklane';
import { describe, expect, test } from 'vitest';
import { decodeCursor, encodeCursor, fingerprintOf } from '../../src/task/cursor.ts';

const value = fc.oneof(
  fc.constant(null),
  fc.string({ unit: 'binary' }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

describe('cursors', () => {
  test('give back the place they were made of', () => {
    fc.assert(
      fc.property(value, fc.nat(), fc.boolean(), fc.jsonValue(), (at, sequence, backward, query) => {
        const fingerprint = fingerprintOf(query);
        const cursor = encodeCursor(fingerprint, backward, [at, sequence]);
        expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
        const expected = JSON.parse(JSON.stringify(at));
        expect(decodeCursor(cursor, fingerprint)).toEqual({ backward, from: [expected, sequence] });
      }),
    );
  });

  test('of another query are refused', () => {
    const cursor = encodeCursor(fingerprintOf(['a']), false, ['x', 1]);
    expect(() => decodeCursor(cursor, fingerprintOf(['b']))).toThrow(CursorError);
  });

  test('that were changed are refused, whatever was changed', () => {
    const fingerprint = fingerprintOf(['a']);
    const cursor = encodeCursor(fingerprint, false, ['name', 12]);
    fc.assert(
      fc.property(fc.nat(cursor.length - 1), fc.constantFrom(...'AZaz09-_'), (at, letter) => {
        const changed = cursor.slice(0, at) + letter + cursor.slice(at + 1);
        if (Buffer.from(changed, 'base64url').equals(Buffer.from(cursor, 'base64url'))) return;
        expect(() => decodeCursor(changed, fingerprint)).toThrow(CursorError);
      }),
    );
  });

  test('that are anything else are refused', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => decodeCursor(text, fingerprintOf(null))).toThrow(CursorError);
      }),
    );
  });
});
