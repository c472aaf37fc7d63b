// `npm run example schedule`: what recurs. A clock that is moved by hand shows days in a moment; an app leaves it out.
import { defineTask, TaskManager } from 'tasklane';
import { fakeClock } from 'tasklane/testing';

const show = (ms: number | null): string => (ms === null ? '-' : new Date(ms).toISOString().slice(0, 16));

const report = defineTask({
  name: 'report',
  run: (input: { of: string }, { task }) => console.log(`report of ${input.of}, due ${show(task.tick)}`),
});
const sweep = defineTask({ name: 'sweep', run: (_input: unknown, { task }) => console.log('sweep', show(task.tick)) });

const clock = fakeClock(Date.parse('2026-10-24T23:50:00Z')); // the night in which Berlin's clocks are put back
const manager = new TaskManager({
  handlers: [report, sweep],
  clock,
  // In the code: made, changed and, once they have left it, reported when the manager starts.
  schedules: [{ key: 'sweep', handler: sweep, every: '20m', maxRuns: 2 }],
});
await manager.start();

// By the API: of a user, say. 02:30 comes twice that night; the report does not.
const made = await manager.schedules.create({
  key: 'sales',
  handler: report,
  input: { of: 'sales' },
  cron: '30 2 * * *',
  timeZone: 'Europe/Berlin',
  overlap: 'skip',
  missed: 'once',
});
console.log(`next ${show(made.nextRunAt)}`);
const month = { rrule: 'FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17;BYMINUTE=0;BYSECOND=0', timeZone: 'Europe/Berlin' };
console.log('last Fridays', (await manager.schedules.preview(month, 3)).map(show).join(' '));

await clock.advance('2h');
await manager.schedules.pause('sales');
const task = await manager.schedules.trigger('sales'); // by hand, although it is paused
await task.result();
const { runs, lastTick, pausedAt } = (await manager.schedules.get('sales')) ?? made;
console.log(`${runs} run by the clock, the last ${show(lastTick)}, paused ${show(pausedAt)}`);
await manager.close();
