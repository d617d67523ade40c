import { describe, expect, test } from '@jest/globals';
import type {
  V1ContainerState,
  V1PersistentVolumeClaim,
  V1PersistentVolumeClaimSpec,
  V1Pod,
} from '@kubernetes/client-node';
import { anchorName } from '../../../../src/objects/anchor.ts';
import { copyName } from '../../../../src/objects/copy.ts';
import { copyJobName } from '../../../../src/objects/copy-job.ts';
import { copyClaim } from '../../../../src/objects/copy.ts';
import { claimOfRun } from '../../../../src/upgrade/backup/claim-to-fill.ts';
import { findBackup } from '../../../../src/upgrade/backup/our-backup.ts';
import { proveBackup } from '../../../../src/upgrade/backup/prove.ts';
import { takeBackup } from '../../../../src/upgrade/backup/take.ts';
import { stopPostgresql } from '../../../../src/upgrade/steps/stop-postgresql.ts';
import { namespace } from '../../objects.ts';
import { thrownBy } from '../../thrown.ts';
import { alter, anchor, anchored, full } from '../anchored.ts';
import { controlStatefulSet, setUp, type Setting } from '../context.ts';
import { collectPods, controlJobs, ending } from '../job-controller.ts';
import { controlStorage } from '../storage-controller.ts';

const name = 'data-postgresql-0-before-upgrade-20260102030405';

async function prepared(state?: V1ContainerState, given: Readonly<Record<string, string>> = {}): Promise<Setting> {
  const setting = await setUp(undefined, { backup: 'copy', ...given }, { backup: { kind: 'copy' } });
  controlStorage(setting);
  controlJobs(setting, state === undefined ? {} : { [copyJobName]: state });
  collectPods(setting);
  return setting;
}

/** A claim with this in its spec. */
function having(more: Partial<V1PersistentVolumeClaimSpec>) {
  return (claim: V1PersistentVolumeClaim): V1PersistentVolumeClaim => ({ ...claim, spec: { ...claim.spec, ...more } });
}

const jobs = ({ cluster }: Setting) => cluster.all('jobs').map(({ metadata }) => metadata?.name);
const failing = ending(10, { command: 'copy', outcome: 'failed', step: 'Copying', message: 'No space left on device' });

describe('the copy', () => {
  test('goes to a claim like the server’s, is noted when it is complete, and leaves no Job', async () => {
    const setting = await prepared();
    const { cluster, context, log } = setting;
    await takeBackup.run(context);
    expect(cluster.writes.filter((write) => !/configmaps|pv-1$/.test(write))).toEqual([
      `create persistentvolumeclaims/${name}`,
      `create jobs/${copyJobName}`,
      `delete jobs/${copyJobName}`,
      expect.stringContaining('patch persistentvolumes/'),
    ]);
    const claim = cluster.peek('persistentvolumeclaims', name, namespace);
    expect(claim?.spec?.resources).toEqual({ requests: { storage: '8Gi' } });
    expect(claim?.spec).not.toHaveProperty('dataSource');
    expect(context.journal.noted).toMatchObject({ copying: name, backup: name });
    expect(context.results.backup).toEqual({ kind: 'copy', name });
    expect(log.text).toContain('9 files, 64 MiB, are on the copy');
    expect(jobs(setting)).toEqual([]);
  });

  test('that fails is no backup: it is not noted, and its claim is told', async () => {
    const setting = await prepared(failing);
    const { context } = setting;
    const error = await thrownBy(() => takeBackup.run(context));
    expect(error.code).toBe('copy-failed');
    expect(error.message).toContain('No space left on device');
    expect(context.journal.noted.backup).toBeUndefined();
    expect(context.results.backup).toBeUndefined();
    expect(await findBackup(setting.cluster, context.target, name)).toBe('foreign');
    controlStatefulSet(setting);
    await stopPostgresql.undo?.(context);
    expect(context.results.warnings).toEqual([
      expect.stringContaining(`PersistentVolumeClaim ${name} holds no complete copy`),
    ]);
  });

  test('is not made again by another run', async () => {
    const { cluster, context } = await prepared();
    await takeBackup.run(context);
    cluster.calls.length = 0;
    await takeBackup.run(context);
    expect(cluster.writes).toEqual([]);
    expect(context.results.backup).toEqual({ kind: 'copy', name });
  });

  test('goes on in the claim that an earlier run began to fill', async () => {
    const { cluster, context } = await prepared();
    const earlier = 'data-postgresql-0-before-upgrade-20260102030000';
    await context.journal.note('copying', earlier);
    await cluster.create('persistentvolumeclaims', claimOfRun(context.target, earlier, context.settings.runId), {
      namespace,
    });
    await takeBackup.run(context);
    expect(cluster.writes).not.toContain(`create persistentvolumeclaims/${name}`);
    expect(context.journal.noted.backup).toBe(earlier);
    expect(context.results.warnings).toEqual([]);
  });

  const run = (id: string) => ({ annotations: { 'circleci-server-postgresql-upgrade/run': id } });
  test.each<[string, (claim: V1PersistentVolumeClaim) => V1PersistentVolumeClaim, string]>([
    [
      'names no upgrade',
      ({ metadata, ...claim }) => ({ ...claim, metadata: { ...metadata, annotations: {} } }),
      'it does not name',
    ],
    [
      'names another upgrade',
      ({ metadata, ...claim }) => ({ ...claim, metadata: { ...metadata, ...run('another') } }),
      'it does not name this upgrade',
    ],
    [
      'is being deleted',
      ({ metadata, ...claim }) => ({ ...claim, metadata: { ...metadata, deletionTimestamp: new Date(0) } }),
      'it is being deleted',
    ],
    ['has a data source', having({ dataSource: { kind: 'PersistentVolumeClaim', name: 'x' } }), 'it has a data source'],
    ['is larger', having({ resources: { requests: { storage: '9Gi' } } }), 'its size differs'],
    ['is of another class', having({ storageClassName: 'slow' }), 'its StorageClass'],
    ['is shared', having({ accessModes: ['ReadWriteMany'] }), 'its access modes'],
    [
      'has the volume of others',
      having({ volumeName: 'pv-of-others' }),
      'PersistentVolume pv-of-others is not bound to it',
    ],
    ["has the server's volume", having({ volumeName: 'pv-1' }), "PersistentVolume pv-1, which is or was the server's"],
  ])('never goes to a claim of that name which %s', async (_what, change, why) => {
    const { cluster, context } = await prepared();
    const { volume } = context.target;
    const spec = { ...volume.claim.spec, storageClassName: 'standard', accessModes: ['ReadWriteOnce'] };
    const target = { ...context.target, volume: { ...volume, claim: { ...volume.claim, spec } } };
    const theirs = 'data-postgresql-0-before-upgrade-20260102030000';
    await context.journal.note('copying', theirs);
    const made = claimOfRun(target, theirs, context.settings.runId);
    const claim = { ...made, metadata: { ...made.metadata, uid: 'uid-of-theirs' }, status: { phase: 'Bound' } };
    cluster
      .put('persistentvolumes', {
        metadata: { name: 'pv-of-others' },
        spec: { claimRef: { name: 'others', namespace, uid: 'uid-of-others' } },
      })
      .put('persistentvolumeclaims', change(claim));
    await takeBackup.run({ ...context, target });
    expect(context.journal.noted).toMatchObject({ copying: name, backup: name });
    const created = cluster.calls.filter(({ method, resource }) => method === 'create' && resource === 'jobs');
    expect(JSON.stringify(created.map(({ body }) => body))).not.toContain(theirs);
    expect(cluster.writes.filter((write) => write.includes(theirs))).toEqual([]);
    expect(context.results.warnings).toEqual([
      expect.stringMatching(`^PersistentVolumeClaim ${theirs} is not as this upgrade made it.*${why}`),
    ]);
  });

  test('of a server that has served since is made again, and the older one stays', async () => {
    const { cluster, context, clock } = await prepared();
    await takeBackup.run(context);
    await context.journal.note('backup', null);
    await clock.sleep(60_000);
    await takeBackup.run(context);
    expect(context.journal.noted.backup).not.toBe(name);
    expect(cluster.peek('persistentvolumeclaims', name, namespace)).toBeDefined();
  });

  test('is found as a backup by what its PersistentVolume says, and not by its name', async () => {
    const { cluster, context } = await prepared();
    await takeBackup.run(context);
    expect(await findBackup(cluster, context.target, name)).toMatchObject({ backup: { kind: 'copy', name } });
    const forged = name.replace('0405', '0406');
    cluster.put('persistentvolumeclaims', {
      ...copyClaim(context.target, forged, undefined),
      metadata: { name: forged, namespace, uid: 'uid-of-forged' },
    });
    expect(await findBackup(cluster, context.target, forged)).toBe('foreign');
  });
});

describe('the copy beside an anchor', () => {
  const given = [undefined, { backup: 'copy' }, { backup: { kind: 'copy' } }] as const;
  const requiredOf = ({ cluster }: Setting) =>
    cluster.calls
      .filter(({ method, resource }) => method === 'create' && resource === 'jobs')
      .map(({ body }) => JSON.stringify(body).includes('requiredDuringScheduling'));

  async function stopped(): Promise<Setting> {
    const setting = await anchored(undefined, ...given);
    collectPods(setting);
    await stopPostgresql.run(setting.context);
    return setting;
  }

  test('is made on its node', async () => {
    const setting = await stopped();
    await takeBackup.run(setting.context);
    expect(requiredOf(setting)).toEqual([true]);
    expect(anchor(setting)).toBeDefined();
  });

  test('that can not be made there is made on any node, and the anchor is removed at once', async () => {
    const setting = await stopped();
    full(setting, copyJobName);
    await takeBackup.run(setting.context);
    expect(setting.log.text).toContain('1 Insufficient cpu');
    expect(setting.cluster.writes.filter((write) => write.includes('jobs/'))).toEqual([
      `create jobs/${copyJobName}`,
      `delete jobs/${copyJobName}`,
      `delete jobs/${anchorName}`,
      `create jobs/${copyJobName}`,
      `delete jobs/${copyJobName}`,
    ]);
    expect(requiredOf(setting)).toEqual([true, false]);
    expect(setting.context.journal.noted.backup).toBeDefined();
    expect(setting.clock.monotonic()).toBeLessThan(5000);
  });

  test('waits there for a volume that is bound at once', async () => {
    const setting = await stopped();
    const condition = {
      ...{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' },
      message: '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.',
    };
    let ran: V1Pod | undefined;
    let looks = 0;
    alter(setting, `${copyJobName}-`, (pod) => {
      ran ??= pod;
      looks++;
      return looks < 20 ? { ...pod, status: { phase: 'Pending', conditions: [condition] } } : ran;
    });
    await takeBackup.run(setting.context);
    expect(looks).toBeGreaterThan(19);
    expect(requiredOf(setting)).toEqual([true]);
    expect(anchor(setting)).toBeDefined();
  });

  test('goes to any node once the anchor was evicted', async () => {
    const setting = await stopped();
    alter(setting, anchorName, (pod) => ({ ...pod, status: { phase: 'Failed' } }));
    await takeBackup.run(setting.context);
    expect(requiredOf(setting)).toEqual([false]);
    expect(anchor(setting)).toBeUndefined();
  });
});

describe('before the downtime', () => {
  test('a volume of that kind is made, used on the node of the server, and removed', async () => {
    const setting = await prepared();
    const { cluster, context, state, log } = setting;
    state.command = ([program]) => ({ exitCode: 0, stdout: program === 'du' ? '2048\t/bitnami\n' : '', stderr: '' });
    await proveBackup.run(context);
    const created = cluster.calls.find(({ method, resource }) => method === 'create' && resource === 'jobs');
    expect(JSON.stringify(created?.body)).toContain(String(2048 * 1024));
    expect(JSON.stringify(created?.body)).toContain('matchFields');
    expect(log.text).toContain('A volume like the server');
    expect(cluster.peek('persistentvolumeclaims', copyName(context.target), namespace)).toBeUndefined();
    expect(jobs(setting)).toEqual([]);
    expect(context.timeline.expectedTime('backup')).toBe(5000);
  });

  test.each([
    [
      'a file that the server’s user can’t read',
      '/bitnami/postgresql/dump.sql\n',
      '2048\t/bitnami\n',
      /can't read \/bitnami\/postgresql\/dump\.sql/,
    ],
    [
      'a copy that takes longer than "job-timeout"',
      '',
      `${String(2 ** 30)}\t/bitnami\n`,
      /is expected to take \d+ min, and "job-timeout" is 120 min/,
    ],
  ])('%s ends the upgrade', async (_name, unreadable, used, message) => {
    const { cluster, context, state } = await prepared();
    state.command = ([program]) => ({ exitCode: 0, stdout: program === 'du' ? used : unreadable, stderr: '' });
    const error = await thrownBy(() => proveBackup.run(context));
    expect(error.code).toBe('copy-failed');
    expect(error.message).toMatch(message);
    expect(cluster.peek('persistentvolumeclaims', copyName(context.target), namespace)).toBeUndefined();
  });

  test('goes on where the bytes can not be counted', async () => {
    const { context, state, log } = await prepared();
    state.command = ([program]) => ({ exitCode: program === 'du' ? 1 : 0, stdout: '', stderr: '' });
    await proveBackup.run(context);
    expect(log.text).toContain('Could not count the bytes on the volume');
    expect(context.timeline.expectedTime('backup')).toBeUndefined();
  });

  test('a volume that no pod can use ends the upgrade, and nothing is left', async () => {
    const { cluster, context } = await prepared({ waiting: { reason: 'ContainerCreating' } });
    const error = await thrownBy(() => proveBackup.run(context));
    expect(error.code).toBe('copy-failed');
    expect(error.message).toContain('"verify-backup-timeout"');
    await proveBackup.undo?.(context);
    expect(cluster.all('jobs')).toEqual([]);
    expect(cluster.peek('persistentvolumeclaims', copyName(context.target), namespace)).toBeUndefined();
  });

  test('nothing is tried with "verify-backup: false"', async () => {
    const { cluster, context } = await prepared(undefined, { 'verify-backup': 'false' });
    await proveBackup.run(context);
    expect(cluster.writes).toEqual([]);
  });
});
