import { fakeClock } from 'tasklane/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Suspect, Suspects } from '../../src/run/suspects.ts';

describe('suspects start one after the other', () => {
  const first = suspect(1);
  const second = suspect(0);
  const third = suspect(0);
  const clock = fakeClock();
  let suspects: Suspects;
  let turns: string[];

  beforeEach(async () => {
    suspects = new Suspects({ clock, runsBeside: () => false, wake: () => {} });
    turns = [];
    void suspects.turnOf(first).then(() => turns.push('first'));
    void suspects.turnOf(second).then(() => turns.push('second'));
    void suspects.turnOf(third).then(() => turns.push('third'));
    await clock.advance('1h'); // however long it takes to store a start
  });

  test('the second waits until the first has started', () => {
    expect(turns).toEqual(['first']);
  });

  test('and has ended', async () => {
    suspects.started(first);
    await clock.advance(99);
    expect(turns).toEqual(['first']);
    suspects.gone(first);
    await clock.advance(0);
    expect(turns).toEqual(['first', 'second']);
  });

  test('or has run for 100 ms', async () => {
    suspects.started(first);
    await clock.advance(100);
    expect(turns).toEqual(['first', 'second']);
  });

  test('or, when it was only given back, was called', async () => {
    suspects.gone(first);
    suspects.started(second);
    expect(turns).toEqual(['first']); // its handler is called in this turn
    await clock.advance(0);
    expect(turns).toEqual(['first', 'second', 'third']);
  });

  test('whoever gives up in the line lets nobody past the first', async () => {
    suspects.gone(second);
    await clock.advance('1h');
    expect(turns).toEqual(['first']);
  });

  test('or will never start', async () => {
    suspects.gone(first);
    await clock.advance(0);
    expect(turns).toEqual(['first', 'second']);
  });
});

describe('one on its last chance', () => {
  const clock = fakeClock();
  const one = suspect(3, true);
  const other = suspect(3, true);
  const fresh = suspect(1);
  let suspects: Suspects;
  let beside: boolean;
  let turns: string[];
  let woken: number;

  beforeEach(() => {
    beside = false;
    turns = [];
    woken = 0;
    suspects = new Suspects({ clock, runsBeside: () => beside, wake: () => void woken++ });
  });

  /** Asks for the turns of these, in this order. */
  async function ask(...names: ('one' | 'other' | 'fresh')[]): Promise<void> {
    for (const name of names) void suspects.turnOf({ one, other, fresh }[name]).then(() => turns.push(name));
    await clock.advance(0);
  }

  test('starts when nothing runs beside it, and nothing may start from its turn on', async () => {
    beside = true;
    expect(suspects.alone).toBeNull();
    await ask('one');
    await clock.advance('59s');
    expect(turns).toEqual([]);
    expect(suspects.alone).not.toBeNull();
    beside = false;
    suspects.freed();
    await clock.advance(0);
    expect(turns).toEqual(['one']);
  });

  test('starts beside what has run for another minute', async () => {
    beside = true;
    await ask('one');
    suspects.freed(); // one of several
    await clock.advance('1m');
    expect(turns).toEqual(['one']);
  });

  test('has a minute alone: then others may start, and suspects, but none on its last chance', async () => {
    await ask('one');
    await ask('other', 'fresh');
    suspects.started(one);
    await clock.advance(59_999);
    expect([turns, woken]).toEqual([['one'], 0]);
    const over = suspects.alone;
    await clock.advance(1);
    await over;
    expect([suspects.alone, turns, woken]).toEqual([null, ['one', 'fresh'], 1]);
    suspects.gone(fresh);
    await clock.advance('1h');
    expect(turns).toEqual(['one', 'fresh']);
    suspects.gone(one);
    await clock.advance(0);
    expect(turns).toEqual(['one', 'fresh', 'other']);
  });

  test('ends early: others may start at once', async () => {
    await ask('one', 'other');
    suspects.started(one);
    suspects.gone(one);
    expect(woken).toBe(1);
    await clock.advance(0);
    expect(turns).toEqual(['one', 'other']);
  });

  test('given back while it waits: nobody is held up', async () => {
    beside = true;
    await ask('one', 'other');
    suspects.gone(one);
    await clock.advance(0);
    expect(suspects.alone).not.toBeNull(); // the other's
    suspects.gone(other);
    expect(suspects.alone).toBeNull();
    expect(woken).toBe(2);
  });
});

function suspect(lost: number, isLastChance = false): Suspect {
  return { task: { lost }, isLastChance, ended: false };
}
