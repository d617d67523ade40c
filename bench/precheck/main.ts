// npm run bench:precheck -- [--databases 1,10,100] [--tables 100,1000,10000] [--rounds N] [--probes pods|none] [--namespace NS]
// What a precheck takes, against the number of databases and of tables in all of them: time, round trips, memory; medians, and ratios.
import { parseArgs } from 'node:util';
import { bench } from '../../test/cluster/bench.ts';
import { fill } from './fill.ts';
import { measure, type Measured } from './measure.ts';
import { median } from './median.ts';

const { values: options } = parseArgs({
  options: {
    databases: { type: 'string', default: '1,10,100' },
    tables: { type: 'string', default: '100,1000,10000' },
    rounds: { type: 'string', default: '3' },
    probes: { type: 'string', default: 'none' },
    namespace: { type: 'string', default: 'bench-precheck' },
  },
});
const { namespace, probes } = options;
const [databases, tables] = [numbers(options.databases), numbers(options.tables)];
const [rounds = 1] = numbers(options.rounds);

bench('reset', '--namespace', namespace, '--no-writer');
const cells: { databases: number; tables: number; measured: Measured[] }[] = [];
for (const number of databases) {
  for (const each of tables) {
    console.log(`${String(number)} databases with ${String(each)} tables in all …`);
    fill(namespace, number, Math.ceil(each / number));
    const measured: Measured[] = [];
    for (let round = 0; round < rounds; round++) measured.push(await measure({ namespace, probes }));
    cells.push({ databases: number, tables: each, measured });
  }
}
bench('delete-server', namespace);

console.log('\ndatabases   tables   seconds   ratio   commands in the pod   other calls   memory, MiB   summary, KiB');
const [first] = cells;
for (const { databases: number, tables: each, measured } of cells) {
  const of = (what: keyof Measured) => median(measured.map((one) => one[what]));
  const ratio = of('seconds') / median((first?.measured ?? []).map(({ seconds }) => seconds));
  const columns: [string | number, number][] = [
    [number, 9],
    [each, 9],
    [of('seconds').toFixed(1), 10],
    [ratio.toFixed(2), 8],
    [of('commands'), 22],
    [of('calls'), 14],
    [Math.round(of('memory') / 1024 ** 2), 14],
    [Math.round(of('summary') / 1024), 15],
  ];
  console.log(columns.map(([value, width]) => String(value).padStart(width)).join(''));
}

function numbers(text: string): number[] {
  const list = text.split(',').map(Number);
  if (list.every((n) => Number.isInteger(n) && n > 0)) return list;
  throw new Error(`whole numbers from 1 on with commas between them, not ${text}`);
}
