// Somebody else changes the server while the action is at it: right when a step begins, by its heading in the log.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { runAction, saysInLog, startAction, type ActionEnd } from '../../cluster/action.ts';
import { commandsFor } from '../../commands.ts';
import { environment, kubectl, root } from '../../cluster/bench.ts';
import { Bindings } from './binding.ts';
import type { Case, Outcome } from './campaign.ts';
import { downtimeAlone, expectConverged, expectWhole, expireLease, namespace, newServer } from './world.ts';

const steps = [
  'Stop the applications',
  'Set the scheduling gate and stop PostgreSQL',
  'Back up the volume',
  'Run pg_upgrade in a Job',
  'Start PostgreSQL 14',
  'Compare the data with the measurement before the upgrade',
  'Restart the applications',
  'Rebuild the statistics (ANALYZE)',
];

const claim = 'data-postgresql-0';

interface Actor {
  readonly act: () => unknown;
  /** What a person does where the action's message says so, before the next run. */
  readonly heal?: (end: ActionEnd) => void;
}

const actors: Record<string, Actor> = {
  'kubectl scale --replicas 1': {
    act: () => kubectl('-n', namespace, 'scale', 'statefulset/postgresql', '--replicas=1'),
  },
  'helm upgrade': {
    act: () => {
      helmUpgrade();
    },
  },
  // These reach the server, as Helm 3 always does: they start the applications, and set PostgreSQL's image and replicas as the chart has them.
  'helm upgrade --force-conflicts': {
    act: () => {
      helmUpgrade('--force-conflicts');
    },
  },
  'helm upgrade --server-side=false': {
    act: () => {
      helmUpgrade('--server-side=false');
    },
  },
  'kubectl rollout restart': { act: () => kubectl('-n', namespace, 'rollout', 'restart', 'statefulset/postgresql') },
  'a second run': { act: secondRun },
  'kubectl delete pvc': {
    act: () => kubectl('-n', namespace, 'delete', 'pvc', claim, '--wait=false'),
    heal: healClaim,
  },
};

export const actorCases: readonly Case[] = Object.entries(actors).flatMap(([name, actor]) =>
  steps.map((step) => ({
    campaign: 'actors',
    name: `${name} as "${step}" begins`,
    run: (outcome) => interfere(outcome, step, actor),
  })),
);

async function interfere(outcome: Outcome, step: string, { act, heal }: Actor): Promise<void> {
  const server = newServer();
  const bindings = new Bindings(namespace);
  const action = startAction(downtimeAlone);
  await saysInLog(action, `::group::${step}`);
  let refusal = '';
  try {
    await act();
  } catch (error) {
    refusal = `, refused: ${String((error as { stderr?: unknown }).stderr ?? error).trim()}`;
  }
  const last = action.log().trimEnd().split('\n').at(-1) ?? '';
  const end = await action.end;
  outcome.proof = `at "${last}"${refusal}; the run ended as ${end.outputs['verdict'] ?? '?'}: ${end.report.error?.message ?? ''}`;
  assert.deepEqual(bindings.behindGate(), [], 'PostgreSQL was started behind the scheduling gate');
  outcome.seconds = end.seconds;
  if (end.outputs['verdict'] === 'upgraded') {
    expectWhole(outcome, server, '14');
    return;
  }
  heal?.(end);
  expireLease();
  await expectConverged(outcome, server, downtimeAlone, end.outputs['verdict'] === 'reverted' ? 2 : 1);
  assert.deepEqual(bindings.behindGate(), [], 'PostgreSQL was started behind the scheduling gate');
}

function helmUpgrade(...options: string[]): void {
  const chart = `${root}/bench/chart`;
  execFileSync('helm', ['upgrade', 'circleci-server', chart, '-n', namespace, '--reuse-values', ...options], {
    env: { ...process.env, ...environment },
    stdio: 'pipe',
  });
}

async function secondRun(): Promise<void> {
  const { report } = await runAction(downtimeAlone, { GITHUB_RUN_ID: '3' });
  // It waits until the first one renews the Lease, or has come to its end.
  if (report.verdict !== 'already-upgraded') assert.equal(report.error?.code, 'upgrade-held', report.error?.message);
}

/** Does to the letter what the message says; where PostgreSQL runs, it has to be stopped for that. */
function healClaim({ report }: ActionEnd): void {
  const commands = commandsFor('shell', report.error?.remedy);
  assert.notEqual(commands, '', `no commands: ${report.error?.message ?? ''} ${report.error?.remedy.text ?? ''}`);
  const runs = report.verdict === 'reverted';
  const scale = (replicas: string) =>
    kubectl('-n', namespace, 'scale', 'statefulset/postgresql', `--replicas=${replicas}`);
  if (runs) {
    scale('0');
    stopFast();
    kubectl('-n', namespace, 'wait', '--for=delete', 'pod/postgresql-0', '--timeout=120s');
  }
  execFileSync('bash', ['-ec', commands], {
    env: { ...process.env, ...environment },
    stdio: 'pipe',
  });
  if (!runs) return;
  scale('1');
  kubectl('-n', namespace, 'rollout', 'status', 'statefulset/postgresql', '--timeout=120s');
}

/** With clients the kubelet's smart shutdown ends in SIGKILL, which empties unlogged tables. */
function stopFast(): void {
  try {
    kubectl(
      '-n',
      namespace,
      'exec',
      'postgresql-0',
      '--',
      'pg_ctl',
      'stop',
      '-m',
      'fast',
      '-D',
      '/bitnami/postgresql/data',
    );
  } catch {
    // The command runs in the container that ends with the server; how it stopped shows in the tables.
  }
}
