import { describe, expect, test } from '@jest/globals';
import { restoreReclaimPolicy } from '../../../../src/upgrade/backup/reclaim-policy.ts';
import { ungateAndStart } from '../../../../src/upgrade/server/scheduling-gate.ts';
import { schedulingGate } from '../../../../src/objects/scheduling-gate.ts';
import { stopPostgresql } from '../../../../src/upgrade/steps/stop-postgresql.ts';
import { runUpgradeJob } from '../../../../src/upgrade/steps/upgrade-job.ts';
import { claim, cluster, namespace, newImage, oldImage, statefulSet, stopApplications } from '../../objects.ts';
import type { FakeCluster } from '../../fake-cluster.ts';
import { commandsFor } from '../../../commands.ts';
import { thrownBy } from '../../thrown.ts';
import { setUp } from '../context.ts';

const whatSomebodyDoes: Record<string, (cluster: FakeCluster) => unknown> = {
  deletes: (of) => {
    of.remove('persistentvolumeclaims', 'data-postgresql-0', namespace);
  },
  'began to delete': (of) => of.put('persistentvolumeclaims', deleted()),
  'makes anew': (of) => of.put('persistentvolumeclaims', { ...claim(), spec: { volumeName: 'pv-of-nothing' } }),
  'makes anew, without a volume yet,': (of) => of.put('persistentvolumeclaims', { ...claim(), spec: {} }),
};

function deleted() {
  return { ...claim(), metadata: { ...claim().metadata, deletionTimestamp: new Date(0) } };
}

function gated(): FakeCluster {
  return cluster(statefulSet({ schedulingGates: [{ name: schedulingGate }] }, { replicas: 0 }));
}

describe.each(Object.entries(whatSomebodyDoes))('a claim that somebody %s in the downtime', (_name, interfere) => {
  test.each([newImage, oldImage])('never lets %s start: the image would make an empty cluster', async (image) => {
    const setting = await setUp(gated());
    interfere(setting.cluster);
    const error = await thrownBy(() => ungateAndStart(setting.context, image));
    expect(error.code).toBe('claim-lost');
    expect(error.message).toContain('pv-1');
    expect(setting.cluster.writes).toEqual([]);
  });

  test('ends the upgrade before its Job is made, with the commands that bring it back', async () => {
    const setting = await setUp(gated());
    setting.cluster.remove('pods', 'postgresql-0', namespace);
    stopApplications(setting.cluster);
    interfere(setting.cluster);
    const error = await thrownBy(() => runUpgradeJob.run(setting.context));
    expect(error.code).toBe('claim-lost');
    expect(commandsFor('shell', error.remedy)).toContain('kubectl patch persistentvolume pv-1');
    expect(commandsFor('shell', error.remedy)).toContain('"volumeName":"pv-1"');
    expect(setting.cluster.writes).toEqual([]);
  });
});

test('a claim that waits for the ended pods of our Jobs goes when they are gone', async () => {
  const setting = await setUp(gated());
  setting.cluster.put('persistentvolumeclaims', deleted());
  const { remedy } = await thrownBy(() => ungateAndStart(setting.context, newImage));
  expect(commandsFor('shell', remedy)).toMatch(
    /delete job postgres-upgrade-12-to-14 postgres-upgrade-12-to-14-revert postgres-upgrade-12-to-14-copy --ignore-not-found\nkubectl -n \S+ delete pvc data-postgresql-0 --ignore-not-found\n/,
  );
});

describe('a claim that is being deleted while the server runs', () => {
  test('goes only with the last pod: the server is not stopped', async () => {
    const setting = await setUp();
    setting.cluster.put('persistentvolumeclaims', deleted());
    expect((await thrownBy(() => stopPostgresql.run(setting.context))).code).toBe('claim-lost');
    expect(setting.cluster.writes).toEqual([]);
  });

  test('keeps nothing from going back: the server was never stopped', async () => {
    const setting = await setUp();
    setting.cluster.put('persistentvolumeclaims', deleted());
    await ungateAndStart(setting.context, oldImage);
    expect(setting.cluster.writes).toEqual(['patch statefulsets/postgresql']);
  });

  test('leaves its volume on Retain, and says so', async () => {
    const setting = await setUp();
    setting.cluster.put('persistentvolumeclaims', deleted());
    await restoreReclaimPolicy(setting.context);
    expect(setting.cluster.writes).toEqual([]);
    expect(setting.context.results.warnings.join()).toMatch(/data-postgresql-0 is being deleted.*pv-1.*Retain/);
  });
});
