import { fakeClock } from 'tasklane/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { Suspects } from '../../src/run/suspects.ts';

describe('suspects start one after the other', () => {
  const first = { task: { lost: 1 } };
  const second = { task: { lost: 0 } };
  const third = { task: { lost: 0 } };
  const clock = fakeClock();
  let suspects: Suspects;
  let turns: string[];

  beforeEach(async () => {
    suspects = new Suspects(clock);
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
    suspects.ended(first);
    await clock.advance(0);
    expect(turns).toEqual(['first', 'second']);
  });

  test('or has run for 100 ms', async () => {
    suspects.started(first);
    await clock.advance(100);
    expect(turns).toEqual(['first', 'second']);
  });

  test('or, when it was only given back, was called', async () => {
    suspects.ended(first);
    suspects.started(second);
    expect(turns).toEqual(['first']); // its handler is called in this turn
    await clock.advance(0);
    expect(turns).toEqual(['first', 'second', 'third']);
  });

  test('whoever gives up in the line lets nobody past the first', async () => {
    suspects.ended(second);
    await clock.advance('1h');
    expect(turns).toEqual(['first']);
  });

  test('or will never start', async () => {
    suspects.ended(first);
    await clock.advance(0);
    expect(turns).toEqual(['first', 'second']);
  });
});
