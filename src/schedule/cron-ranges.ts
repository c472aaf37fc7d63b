const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** Values of a field: from `least` on so many, the first of which may have names. */
interface Values {
  readonly least: number;
  readonly count: number;
  readonly names?: readonly string[];
}

/** By field, seconds first; years do not come round. */
function valuesOf(quartz: boolean): readonly Values[] {
  return [
    { least: 0, count: 60 },
    { least: 0, count: 60 },
    { least: 0, count: 24 },
    { least: 1, count: 31 },
    { least: 1, count: 12, names: MONTHS },
    { least: quartz ? 1 : 0, count: 7, names: DAYS },
  ];
}

/**
 * Writes out the ranges of a cron expression that go over the end, such as `22-2` or `FRI-MON`: Quartz knows them, croner
 * does not. All else is left as it is, also what is wrong.
 * @param fields seconds first
 * @param quartz Sunday is 1, not 0
 */
export function unwrapRanges(fields: readonly string[], quartz: boolean): readonly string[] {
  const values = valuesOf(quartz);
  return fields.map((field, index) => {
    const of = values[index];
    return of === undefined
      ? field
      : field
          .split(',')
          .map((item) => unwrap(item, of))
          .join();
  });
}

function unwrap(item: string, values: Values): string {
  const [, from = '', to = '', step = '1'] = /^(\w+)-(\w+)(?:\/(\d{1,2}))?$/.exec(item) ?? [];
  const [first, last] = [numberOf(from, values), numberOf(to, values)];
  if (first === null || last === null || first <= last || Number(step) < 1) return item;
  const { least, count } = values;
  const all: number[] = [];
  for (let at = first; at <= last + count; at += Number(step)) all.push(least + ((at - least) % count));
  return all.join();
}

/** Null where it is none of the values; 7 is a Sunday where 0 is one. */
function numberOf(text: string, { least, count, names = [] }: Values): number | null {
  const named = names.indexOf(text.toUpperCase());
  if (named >= 0) return least + named;
  const most = least === 0 && count === DAYS.length ? count : least + count - 1;
  return /^\d{1,2}$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : null;
}
