// npm run bench:scale -- [--pods 5000] [--workloads 500] [--rounds N] [--namespace NS]
// What a precheck takes in a namespace with many pods and workloads, against one that has the server alone: time, calls, pages of lists, memory.
import { parseArgs } from 'node:util';
import { AuditLog, bench } from '../../test/cluster/bench.ts';
import { measure, type Measured } from '../precheck/measure.ts';
import { median } from '../precheck/median.ts';
import { crowd } from './crowd.ts';

const { values: options } = parseArgs({
  options: {
    pods: { type: 'string', default: '5000' },
    workloads: { type: 'string', default: '500' },
    rounds: { type: 'string', default: '3' },
    namespace: { type: 'string', default: 'bench-scale' },
  },
});
const { namespace } = options;
const [pods, workloads, rounds] = [Number(options.pods), Number(options.workloads), Number(options.rounds)];

bench('reset', '--namespace', namespace, '--no-writer');
const alone = await measured();
console.log(`Making ${String(pods)} pods and ${String(workloads)} workloads …`);
await crowd(namespace, pods, workloads);
const crowded = await measured();
bench('delete-server', namespace);

console.log('\n                       seconds   commands in the pod   other calls   pages of lists   memory, MiB   summary, KiB');
for (const [name, of] of [
  ['the server alone', alone],
  ['among the crowd', crowded],
] as const) {
  const columns: [string | number, number][] = [
    [of('seconds').toFixed(1), 9],
    [of('commands'), 22],
    [of('calls'), 14],
    [of('pages'), 17],
    [Math.round(of('memory') / 1024 ** 2), 14],
    [Math.round(of('summary') / 1024), 15],
  ];
  console.log(name.padEnd(21) + columns.map(([value, width]) => String(value).padStart(width)).join(''));
}
const ratio = (what: 'seconds' | 'calls' | 'memory') => (crowded(what) / alone(what)).toFixed(2);
console.log(`\nratios: time ${ratio('seconds')}, calls ${ratio('calls')}, memory ${ratio('memory')}`);

type Figure = keyof Measured | 'pages';

/** Medians of some rounds. */
async function measured(): Promise<(what: Figure) => number> {
  const all: (Measured & { pages: number })[] = [];
  for (let round = 0; round < rounds; round++) {
    const audit = new AuditLog();
    const one = await measure({ namespace, probes: 'none' });
    const pages = audit.events().filter(({ verb, objectRef }) => verb === 'list' && objectRef?.namespace === namespace);
    const unlimited = pages.filter(({ requestURI }) => !/[?&]limit=\d+/.test(requestURI));
    if (unlimited.length > 0) throw new Error(`lists without a limit: ${unlimited.map((e) => e.requestURI).join(', ')}`);
    all.push({ ...one, pages: pages.length });
  }
  return (what) => median(all.map((one) => one[what]));
}
