// The runner dies: SIGKILL for the action's process right before and right after a call that changes something, in every step.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startAction } from '../../cluster/action.ts';
import type { Case } from './campaign.ts';
import { downtimeAlone, expectUpgraded, expireLease, newServer, upgrade } from './world.ts';

const cleanup = 'Clean up after the run';
const closing = `after ${cleanup}`;

/** The heading in the log, how the call's name begins, and whether it is only made by a run that proves the backup. */
const calls: readonly (readonly [group: string, call: string, options?: { proof?: true; btrfs?: true }])[] = [
  ['', 'create leases'],
  ['', 'patch statefulsets/postgresql'],
  ['', 'create configmaps'],
  ['Set the reclaim policy of the volume to Retain', 'patch persistentvolumes/'],
  ['Prove that a backup of the volume can be restored', 'create volumesnapshots', { proof: true }],
  ['Prove that a backup of the volume can be restored', 'create persistentvolumeclaims', { proof: true }],
  ['Prove that a backup of the volume can be restored', 'create jobs', { proof: true }],
  ['Prove that a backup of the volume can be restored', 'delete persistentvolumeclaims', { proof: true }],
  ['Stop the applications', 'patch deployments/writer'],
  ['Wait for the last client, measure the data, checkpoint', 'exec'],
  ['Wait for the last client, measure the data, checkpoint', 'patch configmaps'],
  ['Set the scheduling gate and stop PostgreSQL', 'patch statefulsets/postgresql'],
  ['Set the scheduling gate and stop PostgreSQL', 'exec pg_ctl'],
  ['Back up the volume', 'create volumesnapshots'],
  ['Back up the volume', 'patch volumesnapshotcontents'],
  ['Run pg_upgrade in a Job', 'create jobs'],
  ['Run pg_upgrade in a Job', 'create jobs', { btrfs: true }],
  ['Start PostgreSQL 14', 'patch statefulsets/postgresql'],
  ['Start PostgreSQL 14', 'patch statefulsets/postgresql', { btrfs: true }],
  ['Compare the data with the measurement before the upgrade', 'exec'],
  ['Update the extensions', 'exec'],
  ['Restart the applications', 'patch deployments/writer'],
  ['Restart the applications', 'exec'],
  ['Rebuild the statistics (ANALYZE)', 'exec'],
  [cleanup, 'patch statefulsets/postgresql'],
  [closing, 'patch configmaps'],
];

export const runnerCases: readonly Case[] = (['before', 'after'] as const).flatMap((when) =>
  calls.map(([group, call, options = {}]) => ({
    campaign: 'runner',
    name: `${options.btrfs ? 'clone' : 'link'}, ${when}: ${group || 'between the checks and the first step'}: ${call}`,
    async run(outcome) {
      const inputs = options.proof ? upgrade : downtimeAlone;
      const server = newServer(...(options.btrfs ? ['--storage-class', 'standard-btrfs'] : []));
      outcome.proof = await killAt(inputs, group, call, when);
      expireLease();
      // Its journal is closed: nothing but the Lease was left.
      const wasDone = when === 'after' && group === closing;
      await expectUpgraded(outcome, server, inputs, { verdict: wasDone ? 'already-upgraded' : 'upgraded' });
    },
  })),
);

/** @returns the last call that the run made, and what it had logged last */
export async function killAt(
  inputs: Record<string, string>,
  group: string,
  call: string,
  when: string,
): Promise<string> {
  const directory = mkdtempSync(path.join(tmpdir(), 'strike-'));
  const file = path.join(directory, 'calls');
  const action = startAction(inputs, {
    NODE_OPTIONS: `--import=${path.join(import.meta.dirname, 'strike.ts')} --no-warnings`,
    CALLS: file,
    STRIKE_GROUP: group,
    STRIKE_CALL: call,
    STRIKE_WHEN: when,
  });
  // It can't write a report any more, and is not asked for one.
  action.end.catch(() => undefined);
  const signal = await new Promise((resolve) =>
    action.process.once('close', (_code, by) => {
      resolve(by);
    }),
  );
  assert.equal(signal, 'SIGKILL', `it came to its end:\n${action.log().slice(-2500)}`);
  const last = readFileSync(file, 'utf8').trimEnd().split('\n').at(-1) ?? '';
  rmSync(directory, { recursive: true });
  return `${last}; last line of the log: ${action.log().trimEnd().split('\n').at(-1) ?? ''}`;
}
