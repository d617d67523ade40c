/** @jest-environment ./test/cluster/bench-environment.ts */
// What an upgrade, a rollback and an upgrade by the vendor's page leave goes a day later, on both kinds of storage.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { rehearsalLabel } from '../../../src/objects/rehearsal.ts';
import { runAction, type ActionEnd } from '../action.ts';
import { bench, kubectl, kubectlJson, kubectlWith, namespace, psql, reset } from '../bench.ts';
import { later } from '../later.ts';
import { verifyWriter } from '../writer.ts';
import { statefulSet } from '../server.ts';

jest.setTimeout(20 * 60_000);

const claimName = 'data-postgresql-0';
const day = 25 * 3600;
const upgrade = { namespace, mode: 'upgrade', confirm: namespace, probes: 'none', 'verify-backup': 'false' };
const cleanup = { namespace, mode: 'cleanup', confirm: namespace };
const volume = () => bench('volume-path', '--namespace', namespace, '--pvc', claimName).trim();
const freeBytes = () =>
  Number(execFileSync('df', ['-B1', '--output=avail', volume()], { encoding: 'utf8' }).trim().split('\n').at(-1));

interface Listed {
  readonly items: readonly { readonly metadata: { readonly name: string } }[];
}

const names = (...query: string[]) =>
  (kubectlJson('get', ...query) as Listed).items.map(({ metadata }) => metadata.name).sort();
const ofNamespace = (resource: string) => names('-n', namespace, resource);
/** Of the objects that lie in no namespace, those of the server's. */
const ofCluster = (resource: string, reference: string) =>
  kubectl(
    'get',
    resource,
    '-o',
    `jsonpath={range .items[*]}{.spec.${reference}.namespace} {.spec.${reference}.name}{"\\n"}{end}`,
  )
    .split('\n')
    .filter((line) => line.startsWith(`${namespace} `))
    .map((line) => line.slice(namespace.length + 1));
const contents = () => ofCluster('volumesnapshotcontents', 'volumeSnapshotRef');
const volumes = () => ofCluster('persistentvolumes', 'claimRef');

async function dayLater(inputs: Readonly<Record<string, string>>): Promise<ActionEnd> {
  return await later(day, (kubeconfig) => runAction({ ...inputs, kubeconfig }));
}

/** What a rehearsal leaves in the storage that is killed there. */
function leaveRehearsal(storageClass: string): void {
  const name = `${claimName}-rehearsal`;
  const metadata = { name, namespace, labels: { [rehearsalLabel]: '20260101000000' } };
  const dataSource = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name };
  const size = kubectl('-n', namespace, 'get', 'pvc', claimName, '-o', 'jsonpath={.spec.resources.requests.storage}');
  const spec = { accessModes: ['ReadWriteOnce'], storageClassName: storageClass, dataSource };
  const objects = [
    {
      ...{ apiVersion: 'snapshot.storage.k8s.io/v1', kind: 'VolumeSnapshot', metadata },
      spec: { source: { persistentVolumeClaimName: claimName } },
    },
    {
      ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata },
      spec: { ...spec, resources: { requests: { storage: size } } },
    },
  ];
  kubectlWith(objects.map((object) => JSON.stringify(object)).join('\n---\n'), 'apply', '-f', '-');
}

function expectGreen(end: ActionEnd, verdict: string): void {
  expect([end.exitCode, end.outputs['verdict'], end.report.error]).toEqual([0, verdict, undefined]);
}

describe.each(['standard', 'standard-btrfs'])('on StorageClass %s', (storageClass) => {
  let former: string;

  beforeAll(async () => {
    reset('--storage-class', storageClass);
    former = kubectl('-n', namespace, 'get', 'pvc', claimName, '-o', 'jsonpath={.spec.volumeName}');
    expectGreen(await runAction(upgrade), 'upgraded');
    expectGreen(
      await runAction({ namespace, mode: 'rollback', confirm: namespace, 'accept-data-loss': 'true' }),
      'rolled-back',
    );
    expectGreen(await runAction(upgrade), 'upgraded');
  });

  test('a cleanup on the same day is refused, and removes nothing', async () => {
    const backups = () => ofNamespace('volumesnapshots').filter((name) => name.includes('-before-upgrade-'));
    const before = backups();
    const end = await runAction(cleanup);
    expect([end.exitCode, end.report.error?.code]).toEqual([1, 'cleanup-blocked']);
    expect(end.report.cleanup?.gates.filter(({ status }) => status !== 'met').map(({ id }) => id)).toEqual(['healthy']);
    expect(before.length).toBeGreaterThan(0);
    expect(backups()).toEqual(before);
    expect(existsSync(path.join(volume(), 'data-12.preupgrade'))).toBe(true);
  });

  test('a dry run a day later lists all of it, and a cleanup removes that, after a backup of PostgreSQL 14', async () => {
    leaveRehearsal(storageClass);
    const listed = await dayLater({ ...cleanup, 'dry-run': 'true' });
    expectGreen(listed, 'passed');
    const items = listed.report.cleanup?.items ?? [];
    expect(items.map(({ kind, name }) => `${kind} ${name}`)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^Directory .*data-12\.preupgrade$/),
        expect.stringMatching(/^VolumeSnapshot .*-before-upgrade-/),
        ...(storageClass === 'standard' ? [`PersistentVolume ${former}`] : []),
        ...['VolumeSnapshot', 'PersistentVolumeClaim'].map((kind) => `${kind} ${claimName}-rehearsal`),
      ]),
    );
    // After a restore the server has another claim, and the backup of the first upgrade is older. Where the rollback needed no restore, only a snapshot has what PostgreSQL 14 had
    // written before it.
    const stays = [expect.stringMatching(storageClass === 'standard' ? /-before-upgrade-\d{14}$/ : /-of-14-\d{14}$/)];
    expect(listed.report.cleanup?.left.map(({ name }) => name)).toEqual(stays);
    // The rollback has lost what was written since the backup, as it was told to.
    const lost = verifyWriter(namespace).lost.length;
    const before = freeBytes();
    const end = await dayLater(cleanup);
    expectGreen(end, 'cleaned-up');
    expect(end.report.cleanup?.items.filter(({ isRemoved }) => !isRemoved)).toEqual([]);
    expect(readdirSync(volume()).filter((name) => !['data', 'lost+found'].includes(name))).toEqual([]);
    const kept = [expect.stringMatching(/-after-upgrade-\d{14}$/), ...stays];
    expect(ofNamespace('volumesnapshots')).toEqual(kept);
    expect(contents().sort()).toEqual(kept);
    expect(volumes().filter((name) => name.startsWith(claimName))).toEqual([claimName]);
    expect(ofNamespace('persistentvolumeclaims').filter((name) => name.includes('rehearsal'))).toEqual([]);
    expect(ofNamespace('configmaps')).not.toContain('postgresql-upgrade-12-to-14-journal');
    if (storageClass === 'standard') {
      // The server writes meanwhile.
      const freed = freeBytes() - before;
      expect(Math.abs(freed - (end.report.cleanup?.freedBytes ?? 0))).toBeLessThan(64 * 2 ** 20);
      expect(end.report.cleanup?.freedBytes).toBeGreaterThan(0);
    } else {
      // The backup has what was removed, and one btrfs all snapshots.
      expect(end.summary).toContain('the backup of PostgreSQL 14 keeps what the old directory took');
    }
    expect(psql(namespace, 'postgres', 'SHOW server_version')).toMatch(/^14\./);
    expect(verifyWriter(namespace).lost.length).toBeLessThanOrEqual(lost);
    expect(statefulSet(namespace).managers).not.toContain('circleci-server-postgresql-upgrade');
  });

  test('after the documented way the command of the vendor frees nothing, and a cleanup what it says', async () => {
    const root = volume();
    const kept = path.join(root, 'data-12.preupgrade');
    // As the vendor's Job leaves it: another owner, closed to all others, and a script that names the path from before the renames.
    const script = `set -e
      mkdir -p ${kept}/global ${kept}/base/1 ${root}/upgrade-logs
      echo 12 >${kept}/PG_VERSION; echo control >${kept}/global/pg_control.old
      head -c 100M /dev/urandom >${kept}/base/1/1259
      printf '#!/bin/sh\\n\\nrm -rf '"'"'/bitnami/postgresql/data-12'"'"'\\n' >${root}/upgrade-logs/delete_old_cluster.sh
      chmod 700 ${kept} ${kept}/global ${kept}/base ${kept}/base/1 ${root}/upgrade-logs/delete_old_cluster.sh
      chown -R 999:999 ${kept} ${root}/upgrade-logs
      ln $(find ${root}/data/base -type f -name '[0-9]*' -size +0 | head -n 1) ${kept}/base/1/; rm -f ${root}/data/.postgresql-upgrade; sync`;
    execFileSync('sh', ['-c', script]);
    // A snapshot would keep the room of what goes, on btrfs.
    const given = { ...cleanup, backup: 'external', 'confirm-external-backup': namespace };
    const closed = await dayLater(given);
    expect(closed.report.error?.message).toContain('which belongs to UID 999');
    expect(existsSync(kept)).toBe(true);
    // The next pod: its kubelet opens the volume to the pod's group.
    kubectl('-n', namespace, 'delete', 'pod', 'postgresql-0');
    kubectl('-n', namespace, 'wait', '--for=condition=Ready', 'pod/postgresql-0', '--timeout=120s');
    const logs = '/bitnami/postgresql/upgrade-logs/delete_old_cluster.sh';
    const page = `ls ${logs} && bash ${logs} || rm -rf /bitnami/postgresql/data-12.preupgrade`;
    kubectl('-n', namespace, 'exec', 'postgresql-0', '--', 'bash', '-c', page);
    expect(existsSync(path.join(volume(), 'data-12.preupgrade/base/1/1259'))).toBe(true);
    const end = await dayLater(given);
    expectGreen(end, 'cleaned-up');
    expect(end.report.cleanup?.freedBytes).toBeGreaterThan(90 * 2 ** 20);
    expect(existsSync(path.join(volume(), 'data-12.preupgrade'))).toBe(false);
  });
});
