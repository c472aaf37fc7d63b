import { fork } from 'node:child_process';

/** What was measured, by name. */
export type Figures = Readonly<Record<string, number>>;

/** Measures in a process of its own. A bare number goes by the variant's name; null: it cannot run here. */
type Variant = () => Promise<Figures | number | null>;

/** Targets: what must be reached, and what we are after. */
export type Target = { readonly atLeast: Bounds } | { readonly atMost: Bounds };
type Bounds = readonly [must: number, stretch?: number];

export type Unit = '' | '/s' | 'B' | 'KB' | 'MB' | 'ms' | 'us' | 'ns';

/** One row of the table: a figure, alone or as a ratio to another one. */
export interface Row {
  readonly label: string;
  readonly figure: string;
  readonly to?: string;
  /** Where it is not the scenario's. */
  readonly unit?: Unit;
  readonly target?: Target;
}

/** What is compared. The variants of a scenario do the same work in different ways. */
export interface Scenario {
  /** Also the name of its file in `scenarios/`. */
  readonly name: string;
  readonly title: string;
  readonly unit: Unit;
  /** Takes too long for every run: only with `--full` or `--only`. */
  readonly full?: true;
  /** No more rounds than this, since one takes long. */
  readonly rounds?: number;
  readonly variants: Readonly<Record<string, Variant>>;
  /** Processes that a variant starts beside itself: see {@link runPart}. */
  readonly parts?: Readonly<Record<string, (argument: string) => Promise<Figures | number | null>>>;
  readonly rows: readonly Row[];
}

/** A row with what the rounds gave. Null: not run. */
export interface Result {
  readonly row: Row;
  /** Medians over the rounds. */
  readonly figure: number | null;
  readonly to: number | null;
  /** One a round, in order: the ratio, or the figure itself where it stands alone. */
  readonly values: readonly number[];
  /** Something of its scenario broke, so that figures may be missing. */
  readonly failed: boolean;
}

/** How the rows of a scenario came out, after `rounds` rounds; each second one runs the variants in reverse order. */
export async function measure(scenario: Scenario, rounds: number): Promise<readonly Result[]> {
  const measured: Figures[] = [];
  const names = Object.keys(scenario.variants);
  let failed = false;
  for (let round = 0; round < Math.min(rounds, scenario.rounds ?? rounds); round++) {
    const figures: Record<string, number> = {};
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      try {
        Object.assign(figures, await runPart(scenario.name, name));
      } catch (error) {
        console.error(error);
        failed = true;
      }
    }
    measured.push(figures);
  }
  return scenario.rows.map((row) => ({ ...resultOf(row, measured), failed }));
}

/** Runs a variant or part of a scenario in a fresh process. @returns its figures, none where it cannot run here */
export function runPart(scenario: string, name: string, argument = ''): Promise<Figures> {
  return new Promise((resolve, reject) => {
    // Nothing of our own flags: the child is to find the build, as an app does.
    const child = fork(new URL('child.ts', import.meta.url), [scenario, name, argument], { execArgv: ['--expose-gc'] });
    let figures: Figures | null = null;
    child.on('message', (message) => {
      figures = message as Figures;
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      if (code === 0 && figures !== null) resolve(figures);
      else reject(new Error(`${scenario}, ${name}: the process ended with ${code}`));
    });
  });
}

/** The middle of some numbers; of an even count the lower one. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The smallest value that a share of all does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

function resultOf(row: Row, measured: readonly Figures[]): Omit<Result, 'failed'> {
  const of = (name: string): number[] =>
    measured.map((figures) => figures[name]).filter((value) => value !== undefined);
  const figures = of(row.figure);
  const others = row.to === undefined ? [] : of(row.to);
  const values =
    row.to === undefined
      ? figures
      : figures.slice(0, others.length).map((value, round) => value / (others[round] ?? 0));
  return { row, figure: medianOrNull(figures), to: medianOrNull(others), values };
}

function medianOrNull(values: readonly number[]): number | null {
  return values.length === 0 ? null : median(values);
}
