import { describe, expect, test } from '@jest/globals';
import type { CleanupFacts } from '../../../src/cleanup/facts.ts';
import { judgeGates, unmetGates } from '../../../src/cleanup/gates.ts';
import { inventoryOf } from '../../../src/cleanup/inventory.ts';
import { permissionsFor } from '../../../src/permissions/permissions.ts';
import { remedyText } from '../../../src/text/remedy.ts';
import { namespace, serverPod, newImage } from '../objects.ts';
import { server } from '../prechecks/facts.ts';
import { cleanupFacts, history, known, unread } from './facts.ts';
import { backup, formerVolume, former, hoursAgo, ourSnapshot, readyPod } from './scene.ts';

type Given = Parameters<typeof cleanupFacts>;

async function unmet(...given: Given) {
  const facts = await cleanupFacts(...given);
  return unmetGates(judgeGates(facts, inventoryOf(facts)));
}

/** The one condition that is not met, with its status and what was seen. */
async function only(...given: Given) {
  const [first, ...others] = await unmet(...given);
  expect(others.map(({ id }) => id)).toEqual([]);
  expect(first?.remedy?.text).toMatch(/\S/);
  return [first?.id, first?.status, first?.said, first?.remedy && remedyText(first.remedy)];
}

const said = (text: string) => expect.stringContaining(text) as unknown;
const anything = expect.any(String) as unknown;
const container = { name: 'postgresql', image: newImage, imageID: '', ready: true };
const at = (hours: number) => hoursAgo(hours).toISOString() as unknown as Date;
const restarted = (restartCount: number, exitCode: number, startedAt: number, finishedAt: number) =>
  readyPod({
    containerStatuses: [
      {
        ...{ ...container, restartCount, state: { running: { startedAt: at(finishedAt) } } },
        lastState: { terminated: { exitCode, startedAt: at(startedAt), finishedAt: at(finishedAt) } },
      },
    ],
  });
const withPod = async (pod: CleanupFacts['target']['pod']) => ({ target: { ...(await cleanupFacts()).target, pod } });
const directory = (is: 'used' | 'stuck') => ({
  ...{ kind: 'old' as const, path: '/bitnami/postgresql/data-12.preupgrade', id: '1:2', owner: 999, bytes: 1 },
  obstacle: { is, why: 'it is so' },
});

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

  test('where something uses a directory, or a setting of the server names it', async () => {
    const files = known({ directories: [directory('used')], transfer: 'link' });
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

  test("where the server's user can't remove a directory, with the command for a person", async () => {
    const [id, status, what, remedy] = await only({
      files: known({ directories: [directory('stuck')], transfer: '' }),
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

  test('with a kind of backup that needs a stopped server', async () => {
    expect((await only({}, { backup: 'clone' }))[0]).toBe('backup');
  });
});

describe('PostgreSQL 14 has to be healthy for the time that the input says', () => {
  const since = (hours: number) => known({ ...history, releasedAt: hoursAgo(hours) });

  test('since the applications were restarted', async () => {
    expect(await unmet({ history: since(24) })).toEqual([]);
    expect(await only({ history: since(23.99) })).toEqual([
      'healthy',
      'unmet',
      said('the upgrade restarted the applications then. It has to be 24 h'),
      said('Run again after 2026-01-02T03:04:41.000Z'),
    ]);
    expect((await only({ history: since(47) }, { 'healthy-for': '48h' }))[0]).toBe('healthy');
    expect(await unmet({ history: since(48) }, { 'healthy-for': '48h' })).toEqual([]);
  });

  test("without a journal, and with one of another upgrade, since the server's container runs", async () => {
    for (const without of [undefined, { ...history, outcome: 'reverted', releasedAt: undefined } as const]) {
      expect(await unmet({ history: known(without), ...(await withPod(readyPod({}, hoursAgo(24)))) })).toEqual([]);
      expect(await only({ history: known(without), ...(await withPod(readyPod({}, hoursAgo(23)))) })).toEqual([
        'healthy',
        'unmet',
        said("the server's container runs since then"),
        anything,
      ]);
    }
  });

  test('and is unknown where neither says it', async () => {
    expect(await only({ history: known(undefined), ...(await withPod(readyPod({ containerStatuses: [] }))) })).toEqual([
      'healthy',
      'unknown',
      anything,
      anything,
    ]);
  });

  test.each<[string, Parameters<typeof restarted>, boolean]>([
    ['a container that ended with another code than 0 in that time', [1, 137, 25, 2], false],
    ['one that did so before', [1, 137, 26, 24.5], true],
    ['one that ended with code 0', [1, 0, 25, 2], true],
    ['one that ended twice, the last time with code 0: of the first end nothing is known', [2, 0, 3, 2], false],
    ['one of whose ends the unknown ones lie before', [2, 0, 24.5, 2], true],
  ])('%s', async (_what, restart, isMet) => {
    const gates = await unmet(await withPod(restarted(...restart)));
    expect(gates.map(({ id, status }) => [id, status])).toEqual(isMet ? [] : [['healthy', 'unmet']]);
  });

  test('a restart of which Kubernetes says nothing counts from the present start', async () => {
    const pod = readyPod({
      containerStatuses: [{ ...container, restartCount: 1, state: { running: { startedAt: at(5) } } }],
    });
    expect((await only(await withPod(pod)))[0]).toBe('healthy');
    const undated = readyPod({ containerStatuses: [{ ...container, restartCount: 1, state: {} }] });
    expect((await only(await withPod(undated)))[0]).toBe('healthy');
  });

  test('init containers count too', async () => {
    const { status } = readyPod();
    const failedInit = {
      ...container,
      name: 'init',
      restartCount: 1,
      lastState: { terminated: { exitCode: 1, finishedAt: at(1) } },
    };
    expect((await only(await withPod(readyPod({ ...status, initContainerStatuses: [failedInit] }))))[0]).toBe(
      'healthy',
    );
  });
});
