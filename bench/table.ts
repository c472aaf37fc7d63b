import { median, type Result, type Scenario, type Target, type Unit } from './harness.ts';

const WIDTHS = [46, 10, 10, 8, 26, 8, 8] as const;
const HEAD = ['', 'figure', 'against', 'median', 'rounds', 'must', 'stretch', ''];

/** The first line of the table. */
export function head(): string {
  return line(HEAD);
}

/** The lines of one scenario. */
export function lines({ title, unit }: Scenario, results: readonly Result[]): string {
  return [title, ...results.map((result) => resultLine(result, result.row.unit ?? unit))].join('\n');
}

/** Whether a result reaches its target; null where it has none, or was not run. */
export function reaches({ row, values }: Result, which: 'must' | 'stretch'): boolean | null {
  const bound = boundOf(row.target, which);
  if (bound === undefined || row.target === undefined || values.length === 0) return null;
  const value = median(values);
  return 'atLeast' in row.target ? value >= bound : value <= bound;
}

function resultLine(result: Result, unit: Unit): string {
  const { row, figure, to, values } = result;
  const alone = row.to === undefined;
  const shown = values.map((value) => (alone ? amount(value, unit) : short(value)));
  return line([
    `  ${row.label}`,
    figure === null ? '' : amount(figure, unit),
    to === null ? '' : amount(to, unit),
    values.length === 0 ? '' : alone ? amount(median(values), unit) : short(median(values)),
    shown.join(' '),
    bound(row.target, 'must', alone ? unit : ''),
    bound(row.target, 'stretch', alone ? unit : ''),
    verdict(result),
  ]);
}

function verdict(result: Result): string {
  if (result.values.length === 0) return result.failed ? 'FAILED' : 'not run';
  const must = reaches(result, 'must');
  if (must === null) return '';
  if (!must) return 'SHORT';
  return reaches(result, 'stretch') === true ? 'stretch' : 'ok';
}

function bound(target: Target | undefined, which: 'must' | 'stretch', unit: string): string {
  const value = boundOf(target, which);
  if (value === undefined || target === undefined) return '';
  return `${'atMost' in target ? '<= ' : ''}${value}${unit}`;
}

function boundOf(target: Target | undefined, which: 'must' | 'stretch'): number | undefined {
  if (target === undefined) return undefined;
  const [must, stretch] = 'atLeast' in target ? target.atLeast : target.atMost;
  return which === 'must' ? must : stretch;
}

function amount(value: number, unit: Unit): string {
  if (unit !== '/s') return `${short(value)} ${unit}`.trimEnd();
  if (value >= 1e6) return `${short(value / 1e6)}M/s`;
  return value >= 1e3 ? `${short(value / 1e3)}k/s` : `${short(value)}/s`;
}

/** Three digits. */
function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(value < 0.1 ? 2 : 3);
}

function line(cells: readonly string[]): string {
  return cells
    .map((cell, at) => {
      const width = WIDTHS[at];
      if (width === undefined) return cell;
      return at === 0 || at === 4 ? cell.padEnd(width) : cell.padStart(width);
    })
    .join(' ')
    .trimEnd();
}
