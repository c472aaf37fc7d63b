// A process of its own for one variant: `node bench/child.ts <scenario> <variant or part> [argument]`
import type { Scenario } from './harness.ts';

const [file = '', name = '', argument = ''] = process.argv.slice(2);
const { scenario } = (await import(`./scenarios/${file}.ts`)) as { readonly scenario: Scenario };
const variant = scenario.variants[name];
const measured = variant === undefined ? await scenario.parts?.[name]?.(argument) : await variant();
if (measured === undefined) throw new Error(`${file} has nothing that is called ${name}`);
const figures = measured === null ? {} : typeof measured === 'number' ? { [name]: measured } : measured;
// What a peer left running must not keep the process alive.
if (process.send === undefined) console.log(figures);
else process.send(figures, () => process.exit());
