// Runs the bundle twice, as the runner would, and shows what became of the server and of every acknowledged change.
import { setTimeout as sleep } from 'node:timers/promises';
import { startAction, type ActionEnd } from '../test/cluster/action.ts';
import { kubectl, namespace, psql } from '../test/cluster/bench.ts';
import { verifyWriter } from '../test/cluster/writer.ts';

/** Runs one mode with its log on the screen. */
async function run(mode: string): Promise<ActionEnd> {
  console.log(`\n━━━ mode: ${mode}`);
  const action = startAction({ namespace, mode, confirm: namespace });
  action.process.stdout?.pipe(process.stdout);
  return await action.end;
}

function version(): string {
  return psql(namespace, 'postgres', 'SHOW server_version');
}

const before = version();
// Something has to have been written before the upgrade, for it to be found afterwards.
while (verifyWriter(namespace).acknowledged < 200) await sleep(500);

const precheck = await run('precheck');
if (precheck.exitCode !== 0) process.exit(1);
const upgrade = await run('upgrade');
if (upgrade.exitCode !== 0) process.exit(1);

const changes = verifyWriter(namespace);
console.log(`\n━━━ result`);
console.log(`PostgreSQL          ${before} → ${version()}`);
console.log(
  `changes             ${String(changes.acknowledged)} acknowledged, ${String(changes.found)} found, ${String(changes.lost.length)} lost, ${String(changes.doubled.length)} doubled`,
);
console.log(`downtime            ${upgrade.outputs['downtime-seconds'] ?? '?'} s`);
for (const phase of upgrade.report.phases) console.log(`  ${phase.seconds.toFixed(1).padStart(6)} s  ${phase.title}`);
console.log(`image for values    ${upgrade.outputs['image'] ?? '?'}`);
console.log(`snapshot            ${upgrade.outputs['snapshot'] ?? '?'}`);
console.log(kubectl('-n', namespace, 'get', 'deployments,statefulsets'));
process.exit(changes.lost.length + changes.doubled.length + changes.unexpected.length === 0 ? 0 : 1);
