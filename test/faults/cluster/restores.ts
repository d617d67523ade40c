// 14 has served on linked files and is taken back, and the storage makes no copy of the backup: its StorageClass is one of this campaign's own, and is gone.
import assert from 'node:assert/strict';
import { runAction } from '../../cluster/action.ts';
import { apply, kubectl, psql } from '../../cluster/bench.ts';
import type { Case } from './campaign.ts';
import { killAt } from './runner.ts';
import { downtimeAlone, expectUpgraded, expectWhole, expireLease, namespace, newServer, said } from './world.ts';

const own = `${namespace}-copies`;
const storageClass = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: own },
  provisioner: 'disk.csi.bench',
  parameters: { filesystem: 'ext4' },
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'WaitForFirstConsumer',
};
const inputs = { ...downtimeAlone, 'job-start-timeout': '30s' };

export const restoreCases: readonly Case[] = [
  {
    campaign: 'refusals',
    name: 'a copy of the backup whose claim is never bound: its StorageClass is gone when 14 is taken back',
    async run(outcome) {
      apply(storageClass);
      const server = newServer('--storage-class', own);
      outcome.proof = await killAt(
        inputs,
        'Compare the data with the measurement before the upgrade',
        'exec',
        'before',
      );
      psql(namespace, 'circleci', 'CREATE TABLE uninvited AS SELECT 1 AS one');
      kubectl('delete', 'storageclass', own);
      expireLease();
      const stuck = await runAction(inputs, { GITHUB_RUN_ID: '2' });
      assert.equal(stuck.report.error?.code, 'way-back-failed', said(stuck));
      assert.match(stuck.report.error.message, /-boot to start: .*PersistentVolumeClaim/);
      assert.equal(psqlAnswers(), false, 'a server runs while its way back is not done');
      outcome.proof += `; ${stuck.report.error.message}`;
      apply(storageClass);
      expireLease();
      const back = await runAction(inputs, { GITHUB_RUN_ID: '3' });
      outcome.seconds = back.seconds;
      assert.equal(back.outputs['verdict'], 'reverted', said(back));
      expectWhole(outcome, server, '12');
      await expectUpgraded(outcome, server, inputs, { upgrades: 2 });
      kubectl('delete', 'storageclass', own);
    },
  },
];

function psqlAnswers(): boolean {
  try {
    psql(namespace, 'postgres', 'SELECT 1');
    return true;
  } catch {
    return false;
  }
}
