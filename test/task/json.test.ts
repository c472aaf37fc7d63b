import fc from 'fast-check';
import { InputInvalidError, PayloadTooLargeError } from 'tasklane';
import { describe, expect, test } from 'vitest';
import { canonicalJson, cloneJson, toJson } from '../../src/task/json.ts';

function refusal(value: unknown): { path: string; message: string } {
  try {
    toJson(value, 'input');
  } catch (error) {
    expect(error).toBeInstanceOf(InputInvalidError);
    const { issues } = error as InputInvalidError;
    expect(issues).toHaveLength(1);
    return issues[0] as { path: string; message: string };
  }
  throw new Error('It was taken.');
}

const wire = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('a JSON copy', () => {
  test('equals what JSON text would hold, of any JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        const copied = toJson(value, 'input');
        expect(copied).toStrictEqual(wire(value));
        expect(JSON.stringify(copied)).toBe(JSON.stringify(value));
      }),
    );
  });

  test('equals what JSON text would hold, of objects with undefined, dates and toJSON', () => {
    class Money {
      readonly cents: number;
      constructor(cents: number) {
        this.cents = cents;
      }
      toJSON() {
        return { euros: this.cents / 100 };
      }
    }
    const leaf = fc.oneof(
      fc.constant(undefined),
      fc.date({ noInvalidDate: true }),
      fc.integer().map((cents) => new Money(cents)),
      fc.string(),
      fc.constant(null),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    );
    const value = fc.dictionary(fc.string(), fc.oneof(leaf, fc.dictionary(fc.string(), leaf)));
    fc.assert(
      fc.property(value, (held) => {
        expect(toJson(held, 'input')).toStrictEqual(wire(held));
      }),
    );
  });

  test('shares nothing with what it was made of', () => {
    const value = { list: [{ a: 1 }], map: { b: {} } };
    const copied = toJson(value, 'input') as typeof value;
    expect(copied.list).not.toBe(value.list);
    expect(copied.list[0]).not.toBe(value.list[0]);
    expect(copied.map.b).not.toBe(value.map.b);
  });

  test('takes objects without prototype, and instances of classes as their own properties', () => {
    class Point {
      x = 1;
      get y() {
        return 2;
      }
    }
    expect(toJson(Object.assign(Object.create(null), { a: 1 }), 'input')).toStrictEqual({ a: 1 });
    expect(toJson(new Point(), 'input')).toStrictEqual({ x: 1 });
  });

  test.each([
    ['a Date', new Date(0)],
    ['a URL', new URL('https://example.com/a')],
    ['a Buffer', Buffer.from('a')],
    ['a plain object with toJSON', { hidden: 1, toJSON: () => ({ shown: 2 }) }],
    ['an inherited toJSON', Object.create({ toJSON: () => 'inherited' })],
  ])('honours toJSON of %s', (_what, value) => {
    expect(toJson({ value, list: [value] }, 'input')).toStrictEqual(wire({ value, list: [value] }));
  });

  test('leaves out properties that are undefined, and keys that are symbols', () => {
    expect(toJson({ a: undefined, b: 1, [Symbol('c')]: 2 }, 'input')).toStrictEqual({ b: 1 });
  });

  test('turns -0 into 0', () => {
    expect(toJson([-0], 'input')).toStrictEqual([0]);
  });

  test('takes __proto__ as data, and never as a prototype', () => {
    const hostile = JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": 1}}');
    for (const copied of [toJson(hostile, 'input'), cloneJson(hostile)]) {
      expect(Object.getPrototypeOf(copied)).toBe(Object.prototype);
      expect((copied as { polluted?: unknown }).polluted).toBeUndefined();
      expect(JSON.stringify(copied)).toBe(JSON.stringify(hostile));
    }
    expect(canonicalJson(hostile)).toBe('{"__proto__":{"polluted":true},"constructor":{"prototype":1}}');
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test('passes on what a getter throws', () => {
    const value = {
      get broken() {
        throw new Error('mine');
      },
    };
    expect(() => toJson(value, 'input')).toThrow('mine');
  });
});

describe('what JSON cannot hold is refused with its path', () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  test.each<[what: string, value: unknown, path: string, message: RegExp]>([
    ['a BigInt', { a: { b: [0, 1n] } }, 'a.b.1', /bigint/],
    ['a function', { run() {} }, 'run', /function/],
    ['a symbol', { a: Symbol('s') }, 'a', /symbol/],
    ['undefined itself', undefined, '', /undefined/],
    ['undefined in an array', { list: [1, undefined] }, 'list.1', /undefined/],
    ['a hole in an array', { list: new Array(2) }, 'list.0', /undefined/],
    ['NaN', [Number.NaN], '0', /NaN/],
    ['Infinity', { a: Number.POSITIVE_INFINITY }, 'a', /Infinity/],
    ['-Infinity', { a: Number.NEGATIVE_INFINITY }, 'a', /-Infinity/],
    ['a Map', { a: new Map([[1, 2]]) }, 'a', /Map/],
    ['a Set', { a: [new Set()] }, 'a.0', /Set/],
    ['a WeakMap', new WeakMap(), '', /WeakMap/],
    ['a RegExp', { a: /x/ }, 'a', /RegExp/],
    ['a Promise', { a: Promise.resolve() }, 'a', /Promise/],
    ['an Error', { a: new Error('no') }, 'a', /Error/],
    ['typed bytes', { a: new Uint8Array(2) }, 'a', /Uint8Array/],
    ['a boxed number', { a: Object(1) }, 'a', /Number/],
    ['toJSON that gives a function', { a: { toJSON: () => () => {} } }, 'a', /function/],
  ])('%s', (_what, value, path, message) => {
    const issue = refusal(value);
    expect(issue.path).toBe(path);
    expect(issue.message).toMatch(message);
  });

  test('a cycle', () => {
    expect(refusal(cycle)).toEqual({ path: 'self', message: 'a cycle: the same as the whole' });
    const list: unknown[] = [];
    list.push([list]);
    expect(refusal({ a: { list } })).toEqual({ path: 'a.list.0.0', message: 'a cycle: the same as a.list' });
    const endless = { toJSON: (): unknown => endless };
    expect(refusal(endless).message).toMatch(/deeper than 100/);
  });

  test('nesting that is too deep, and not what is just within', () => {
    const nest = (depth: number): unknown => (depth === 0 ? 1 : [nest(depth - 1)]);
    expect(toJson(nest(100), 'input')).toStrictEqual(nest(100));
    expect(refusal(nest(101)).message).toMatch(/deeper than 100/);
  });

  test('the error says what was refused', () => {
    expect(() => toJson({ a: 1n }, 'input')).toThrow('input does not fit into JSON: a: a bigint is not JSON');
  });
});

describe('the size of JSON text', () => {
  test('is measured in bytes, and refused only above the limit', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: -3, max: 3 }), (value, more) => {
        const bytes = Buffer.byteLength(JSON.stringify(value));
        const maxBytes = Math.max(1, bytes + more);
        if (bytes <= maxBytes) {
          expect(toJson(value, 'input', maxBytes)).toStrictEqual(wire(value));
          return;
        }
        const refuse = () => toJson(value, 'input', maxBytes);
        expect(refuse).toThrow(PayloadTooLargeError);
        expect(refuse).toThrow(`input is ${bytes} bytes of JSON, more than the ${maxBytes} allowed.`);
      }),
    );
  });
});

describe('canonical JSON', () => {
  test('is the same for equal values, whatever the order of their keys', () => {
    const shuffled = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(shuffled);
      if (value === null || typeof value !== 'object') return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, held]) => [key, shuffled(held)]),
      );
    };
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const copied = toJson(value, 'input');
        const other = toJson(shuffled(copied), 'input');
        expect(canonicalJson(other)).toBe(canonicalJson(copied));
        expect(JSON.parse(canonicalJson(copied))).toStrictEqual(copied);
      }),
    );
  });
});
