import type { V1Pod, V1PodSpec, V1PodStatus } from '@kubernetes/client-node';
import { describe, expect, test } from '@jest/globals';
import type { CleanupFacts } from '../../../src/cleanup/facts.ts';
import { permissionsFor } from '../../../src/permissions/permissions.ts';
import { namespace, serverPod } from '../objects.ts';
import { server } from '../prechecks/facts.ts';
import { cleanupFacts, history, known, noFiles, unread } from './facts.ts';
import { anything, only, said, unmet, withPod } from './judged.ts';
import { backup, formerVolume, former, hoursAgo, ourSnapshot, readyPod } from './scene.ts';

const directory = (is: 'used' | 'changed' | 'stuck') => ({
  ...{ kind: 'old' as const, path: '/bitnami/postgresql/data-12.preupgrade', id: '1:2', owner: 999, bytes: 1 },
  obstacle: { is, why: 'it is so' },
});

/** That old directory, in whose way nothing is. */
const oneFile = () => {
  const { kind, path, id, owner, bytes } = directory('used');
  return known({ ...noFiles, directories: [{ kind, path, id, owner, bytes }] });
};

const sidecar = { name: 'backup-agent', image: 'agent', volumeMounts: [{ name: 'data', mountPath: '/data' }] };
const sidecarStatus = { name: 'backup-agent', image: 'agent', imageID: '', ready: false, restartCount: 0 };
/** The server's pod, with other containers beside the server's. */
const sharedPod = (more: Partial<V1PodSpec>, status: Partial<V1PodStatus> = {}): V1Pod => {
  const pod = readyPod(status);
  const containers = [...(pod.spec?.containers ?? []), ...(more.containers ?? [])];
  return { ...pod, spec: { ...pod.spec, ...more, containers } };
};

test('where each condition is met, nothing is in the way', async () => {
  expect(await unmet()).toEqual([]);
});

describe('what can not be read is never taken for met', () => {
  const facts = [
    'history',
    'server',
    'settings',
    'files',
    'pods',
    'jobs',
    'claims',
    'snapshots',
    'contents',
    'volumes',
    'attachments',
    'snapshotClass',
    'missing',
  ] as const;
  test.each(facts)('%s', async (fact) => {
    const gates = await unmet({ [fact]: unread });
    expect(gates.length).toBeGreaterThan(0);
    expect(gates.map(({ status, said: told }) => [status, told])).toEqual(
      gates.map(() => ['unknown', 'pods is forbidden']),
    );
    for (const { remedy } of gates) expect(remedy?.text).toMatch(/\S/);
  });

  test('a journal that can not be trusted: the remedy says how to go without it', async () => {
    const [, , , remedy] = await only({
      history: { known: false, reason: 'another seal', code: 'journal-not-authentic', remedy: { text: 'Restore it.' } },
    });
    expect(remedy).toContain('Restore it.');
    expect(remedy).toContain(`kubectl -n ${namespace} delete configmap postgresql-upgrade-12-to-14-journal`);
  });
});

describe('a cleanup is refused', () => {
  test('where the account lacks a right', async () => {
    const missing = permissionsFor('cleanup').filter(
      ({ mode, verb, resource }) => mode === 'cleanup' && verb === 'delete' && resource === 'persistentvolumeclaims',
    );
    const [id, status, what, remedy] = await only({ missing: known(missing) });
    expect([id, status, what]).toEqual(['rights', 'unmet', 'the account lacks delete persistentvolumeclaims']);
    expect(remedy).toContain('name: postgresql-cleanup');
  });

  test('while an upgrade is open', async () => {
    expect(await only({ history: known({ ...history, outcome: undefined }) })).toEqual([
      'journal',
      'unmet',
      'an upgrade has not ended',
      said('mode: upgrade'),
    ]);
  });

  test.each([
    ['the data directory has no mark of it', { files: known({ ...noFiles, run: '' }) }],
    ['the data directory is of another upgrade', { files: known({ ...noFiles, run: 'run-2@then' }) }],
    ['the claim is another one', { history: known({ ...history, claim: 'another' }) }],
    ['the volume is another one', { history: known({ ...history, volume: 'pv-2' }) }],
  ])('where the journal says `upgraded`, and %s', async (_what, more) => {
    expect(await only(more)).toEqual([
      'journal',
      'unknown',
      said('is not the one of that upgrade'),
      said('Remove nothing before that is clear.'),
    ]);
  });

  test('where the server’s claim is being deleted', async () => {
    const { target } = await cleanupFacts();
    const claim = {
      ...target.volume.claim,
      metadata: { ...target.volume.claim.metadata, deletionTimestamp: hoursAgo(1) },
    };
    expect(await only({ target: { ...target, volume: { ...target.volume, claim } } })).toEqual([
      'ready',
      'unmet',
      'PersistentVolumeClaim data-postgresql-0 is being deleted',
      said('Retain'),
    ]);
  });

  test('where PostgreSQL 12 serves, or PostgreSQL 14 recovers', async () => {
    expect(await only({ server: known({ ...server, version: '12.22', versionNumber: 120022 }) })).toEqual([
      'version',
      'unmet',
      'PostgreSQL 12.22 serves',
      anything,
    ]);
    expect(
      await only({ server: known({ ...server, version: '14.22', versionNumber: 140022, inRecovery: true }) }),
    ).toEqual(['version', 'unmet', 'PostgreSQL 14.22 is in recovery', anything]);
  });

  test.each<[string, () => CleanupFacts['target']['pod']]>([
    ['is not ready', () => readyPod({ conditions: [{ type: 'Ready', status: 'False' }] })],
    ['does not exist', () => undefined],
    [
      'is being deleted',
      () => ({ ...readyPod(), metadata: { ...serverPod().metadata, deletionTimestamp: hoursAgo(0) } }),
    ],
  ])('while the pod %s', async (_what, pod) => {
    const [gate] = await unmet(await withPod(pod()));
    expect([gate?.id, gate?.status]).toEqual(['ready', 'unmet']);
  });

  test('while the StatefulSet is at 0 replicas', async () => {
    const { target } = await cleanupFacts();
    expect((await only({ target: { ...target, replicas: 0 } }))[0]).toBe('ready');
  });

  test('while a Job is at work, whoever made it, and while another pod uses the volume', async () => {
    const job = { metadata: { name: 'postgres-upgrade-12-to-14', namespace }, status: { active: 1 } };
    expect(await only({ jobs: known([job]) })).toEqual([
      'at-work',
      'unmet',
      said('Job postgres-upgrade-12-to-14 is at work'),
      anything,
    ]);
    const pod = { ...serverPod(), metadata: { name: 'another', namespace } };
    expect(await only({ pods: known([pod]) })).toEqual(['at-work', 'unmet', 'pod another uses the volume', anything]);
  });

  test('while the removal of an earlier cleanup, whose connection broke, is at work', async () => {
    expect(await only({ files: known({ ...noFiles, isRemoving: true }) })).toEqual([
      'at-work',
      'unmet',
      'an earlier cleanup removes directories in pod postgresql-0',
      anything,
    ]);
  });

  test('where something uses a directory, or a setting of the server names it', async () => {
    const files = known({ ...noFiles, directories: [directory('used')] });
    expect(await only({ files })).toEqual([
      'directories',
      'unmet',
      '/bitnami/postgresql/data-12.preupgrade: it is so',
      anything,
    ]);
    expect(await only({ settings: known(['archive_command']) })).toEqual([
      'directories',
      'unmet',
      said('archive_command'),
      anything,
    ]);
  });

  test('where the old directory is not as the upgrade left it, with the command for a person', async () => {
    const directories = [directory('changed')];
    const [id, status, , remedy] = await only({ files: known({ ...noFiles, directories }) });
    expect([id, status]).toEqual(['directories', 'unmet']);
    const command = 'exec postgresql-0 -c postgresql -- rm -rf /bitnami/postgresql/data-12.preupgrade';
    expect(remedy).toContain(command);
    expect(remedy).not.toContain('tablespaces');
    const { owner, bytes } = directory('used');
    const space = { kind: 'tablespace' as const, path: '/bitnami/postgresql/space/PG_12_1', id: '1:3', owner, bytes };
    const [, , , both] = await only({ files: known({ ...noFiles, directories: [...directories, space] }) });
    expect(both).toContain('Remove what PostgreSQL 12 has in tablespaces with it');
    expect(both).toContain(`${command} ${space.path}`);
  });

  test.each<[string, Partial<V1PodSpec>]>([
    ['a sidecar', { containers: [sidecar] }],
    ['a sidecar that began as an init container', { initContainers: [sidecar] }],
    ['a container of a person', { ephemeralContainers: [sidecar] }],
  ])('where %s has the volume too, and nobody sees what it uses', async (_what, spec) => {
    expect(await only({ files: oneFile(), ...(await withPod(sharedPod(spec))) })).toEqual([
      'directories',
      'unknown',
      "what container backup-agent of pod postgresql-0 uses on the volume can't be seen",
      said('Or remove the directories by hand: /bitnami/postgresql/data-12.preupgrade.'),
    ]);
    // Nothing that it could use is at stake.
    expect(await unmet(await withPod(sharedPod(spec)))).toEqual([]);
  });

  test('and not where such a container has ended, or has another volume', async () => {
    const ended = [{ ...sidecarStatus, state: { terminated: { exitCode: 0 } } }];
    const pod = sharedPod({ initContainers: [sidecar] }, { initContainerStatuses: ended });
    expect(await unmet({ files: oneFile(), ...(await withPod(pod)) })).toEqual([]);
    const elsewhere = { ...sidecar, volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }] };
    expect(await unmet({ files: oneFile(), ...(await withPod(sharedPod({ containers: [elsewhere] }))) })).toEqual([]);
  });

  test("where the server's user can't remove a directory, with the command for a person", async () => {
    const [id, status, what, remedy] = await only({
      files: known({ ...noFiles, directories: [directory('stuck')] }),
    });
    expect([id, status, what]).toEqual(['removable', 'unmet', '/bitnami/postgresql/data-12.preupgrade: it is so']);
    expect(remedy).toContain('debug postgresql-0 -it --target postgresql');
    expect(remedy).toContain('-- chown -R 1001 /proc/1/root/bitnami/postgresql/data-12.preupgrade');
  });

  test('while a claim is to be filled from a snapshot, and while a former volume is attached', async () => {
    const claim = {
      metadata: { name: 'new', namespace },
      spec: { dataSource: { kind: 'VolumeSnapshot', name: backup, apiGroup: 'snapshot.storage.k8s.io' } },
      status: { phase: 'Pending' },
    };
    expect(await only({ snapshots: known([ourSnapshot(backup)]), claims: known([claim]) })).toEqual([
      'objects',
      'unmet',
      `PersistentVolumeClaim new is to be filled from VolumeSnapshot ${backup}`,
      anything,
    ]);
    const attachment = { spec: { attacher: 'csi', nodeName: 'node-1', source: { persistentVolumeName: former } } };
    expect(await only({ volumes: known([formerVolume()]), attachments: known([attachment]) })).toEqual([
      'objects',
      'unmet',
      `PersistentVolume ${former} is attached to a node`,
      anything,
    ]);
  });

  test.each([
    ['the volume has no CSI driver', undefined, []],
    ['no VolumeSnapshotClass fits driver csi.example.com', 'csi.example.com', []],
    ['alone: a, b', 'csi.example.com', ['a', 'b']],
  ])('without a backup of PostgreSQL 14: %s', async (text, driver, candidates) => {
    const snapshotClass = known({ driver, chosen: undefined, candidates });
    expect(await only({ snapshotClass })).toEqual([
      'backup',
      'unmet',
      said(text),
      said('confirm-external-backup: circleci-server'),
    ]);
    expect(await unmet({ snapshotClass }, { backup: 'external', 'confirm-external-backup': namespace })).toEqual([]);
  });

  test('with a VolumeSnapshot that would not hold all of the server', async () => {
    const files = known({ ...noFiles, outside: ['/wal'] });
    expect(await only({ files })).toEqual([
      'backup',
      'unmet',
      "a VolumeSnapshot of the server's volume does not hold /wal",
      said('confirm-external-backup: circleci-server'),
    ]);
    expect(await unmet({ files }, { backup: 'external', 'confirm-external-backup': namespace })).toEqual([]);
  });

  test('with a kind of backup that needs a stopped server', async () => {
    expect((await only({}, { backup: 'clone' }))[0]).toBe('backup');
  });
});
