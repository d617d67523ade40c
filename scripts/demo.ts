// Runs the workflow upgrade.yml twice, as an administrator starts it, and shows what became of the server, of every
// acknowledged change and of values.yaml.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { kubectl, namespace, psql } from '../test/cluster/bench.ts';
import { limitedKubeconfig } from '../test/cluster/user.ts';
import { verifyWriter } from '../test/cluster/writer.ts';
import { GitHubDouble } from '../test/github/double.ts';
import { branchDiff, makeRepository } from '../test/workflow/repository.ts';
import type { WorkflowEnd } from '../test/workflow/runner-log.ts';
import { runWorkflow } from '../test/workflow/workflow.ts';

const repository = makeRepository(namespace);
const github = await GitHubDouble.start(repository);
const secrets = { KUBECONFIG_UPGRADE: readFileSync(limitedKubeconfig(namespace, 'demo', 'upgrade'), 'utf8') };
const before = version();
// Something has to have been written before the upgrade, for it to be found afterwards.
while (verifyWriter(namespace).acknowledged < 200) await sleep(500);
try {
  if ((await start('precheck', '')).succeeded) {
    const upgrade = await start('upgrade', namespace);
    if (upgrade.succeeded) tell(upgrade);
  }
} finally {
  await github.stop();
  repository.remove();
}

/** Runs the workflow with its log on the screen; a red one makes the demo fail. */
async function start(mode: string, confirm: string): Promise<WorkflowEnd> {
  console.log(`\n━━━ workflow upgrade.yml, mode: ${mode}`);
  const inputs = { namespace, mode, confirm };
  const onLine = (line: string) => {
    console.log(line);
  };
  const end = await runWorkflow('upgrade.yml', { github, inputs, secrets, onLine });
  if (!end.succeeded) process.exitCode = 1;
  return end;
}

function version(): string {
  return psql(namespace, 'postgres', 'SHOW server_version');
}

function tell({ outputs, summary }: WorkflowEnd): void {
  const output = (name: string) => outputs['postgresql']?.[name] ?? '?';
  const changes = verifyWriter(namespace);
  const counts = { lost: changes.lost.length, doubled: changes.doubled.length, unexpected: changes.unexpected.length };
  if (Object.values(counts).some((count) => count > 0)) process.exitCode = 1;

  console.log(`\n━━━ result`);
  console.log(`PostgreSQL          ${before} → ${version()}`);
  const words = Object.entries(counts).map(([word, count]) => `${String(count)} ${word}`);
  const found = `${String(changes.acknowledged)} acknowledged, ${String(changes.found)} found`;
  console.log(`changes             ${[found, ...words].join(', ')}`);
  console.log(`downtime            ${output('downtime-seconds')} s`);
  console.log('phases');
  // The summary's table, since the runner takes the report with it.
  const phases = [...summary.matchAll(/^\| ([^|]+) \| `[\d:]+` \| (\d+\.\d) \| ([\d.]*) \| \S+ \|$/gm)];
  if (phases.length === 0) throw new Error(`No phase was found in the summary:\n${summary}`);
  for (const [, title = '', seconds = '', expected = ''] of phases)
    console.log(
      `  ${seconds.padStart(16)} s  ${title.replaceAll('\\', '')}${expected === '' ? '' : ` (expected ${expected} s)`}`,
    );
  console.log(`image               ${output('image')}`);
  console.log(`snapshot            ${output('snapshot')}`);
  console.log(`workloads\n${kubectl('-n', namespace, 'get', 'deployments,statefulsets').trimEnd()}`);
  console.log(`pull request        ${output('pull-request-operation')}: ${output('pull-request-url')}`);
  for (const { head } of github.state.pullRequests) {
    console.log(`branch              ${head}\n${branchDiff(repository, head)}`);
  }
}
