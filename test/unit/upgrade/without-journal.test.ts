import { describe, expect, test } from '@jest/globals';
import { consentOf } from '../../../src/inputs/consent.ts';
import { Database } from '../../../src/database/database.ts';
import { jobName } from '../../../src/objects/upgrade-job.ts';
import { Timeline } from '../../../src/report/timeline.ts';
import { discover } from '../../../src/target/discover.ts';
import { serverNames } from '../../../src/target/server-names.ts';
import { Journal } from '../../../src/journal/journal.ts';
import { journalName } from '../../../src/objects/journal-name.ts';
import { JournalSeal } from '../../../src/journal/seal.ts';
import { rollBack } from '../../../src/upgrade/rollback.ts';
import { contextOf } from '../../../src/upgrade/upgrade.ts';
import { beginWithoutJournal, readEvidence } from '../../../src/upgrade/without-journal.ts';
import { endOfRollback } from '../../attacks/interrupted.ts';
import { ungranted } from '../../granted.ts';
import { FakeCrypto } from '../fake-crypto.ts';
import { deployment, inputs, namespace, newImage, oldImage, password, statefulSet } from '../objects.ts';
import { thrownBy } from '../thrown.ts';
import { collectPods, ending, revertName, served } from './job-controller.ts';
import { live } from './live.ts';

type Live = Awaited<ReturnType<typeof live>>;

const confirm = `${namespace} without the journal`;
const given = inputs({ mode: 'rollback', confirm });
/** The Secret has another value by now. */
const newSeal = new JournalSeal(new FakeCrypto(), 'another password');

/** What Kubernetes keeps of a pod template that the StatefulSet had. */
function remember({ cluster }: Live, revision: number, image: string, owner = 'uid-of-statefulset'): void {
  cluster.put('controllerrevisions', {
    metadata: {
      name: `postgresql-${String(revision)}`,
      namespace,
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'postgresql', uid: owner }],
    },
    revision,
    data: { spec: { template: { spec: { containers: [{ name: 'postgresql', image }] } } } },
  });
}

/** A namespace whose server was upgraded on linked files. */
async function upgraded(): Promise<Live> {
  const setting = await live({ [jobName]: ending(0), [revertName]: served('link') });
  collectPods(setting);
  remember(setting, 1, oldImage);
  remember(setting, 2, newImage);
  await setting.begin();
  return setting;
}

async function evidenceOf({ cluster }: Live, wanted = given) {
  const target = await discover(cluster, wanted);
  const consent = wanted.consent ?? { withoutJournal: false, image: undefined, backup: undefined };
  const startedAt = '2026-01-03T03:04:05.000Z';
  return {
    target,
    evidence: await readEvidence(cluster, { inputs: wanted, target, consent, runId: 'run-3', startedAt }),
  };
}

test('the way back where the Secret was changed goes by what the cluster and the disk show', async () => {
  const setting = await upgraded();
  const { cluster, context, clock } = setting;
  await expect(Journal.find(cluster, namespace, newSeal, 'pv-1')).rejects.toMatchObject({
    code: 'journal-not-authentic',
  });
  cluster.put('deployments', deployment('frontend', 5));
  const { target, evidence } = await evidenceOf(setting);
  expect(evidence.record.image).toBe(oldImage);
  expect(evidence.noted.backup).toMatch(/^data-postgresql-0-before-upgrade-\d{14}$/);
  expect(evidence.lines.join('\n')).toContain(`kubectl -n ${namespace} scale deployments/frontend --replicas=3`);
  const journal = await beginWithoutJournal(cluster, newSeal, namespace, evidence, 'it was asked for');
  const database = new Database(cluster, target, password, 'postgres');
  const end = await rollBack({
    ...contextOf(
      {
        ...{ cluster, clock, target, database, inputs: given },
        ...{ log: context.log, scripts: context.scripts, results: context.results },
        ...{ signal: new AbortController().signal, timeline: new Timeline(clock), runCommands: context.runCommands },
      },
      journal,
    ),
    isResumed: true,
  });
  expect(end.end).toBe('reverted');
  expect(setting.image()).toBe(oldImage);
  expect(cluster.peek('persistentvolumeclaims', 'data-postgresql-0', namespace)?.spec?.volumeName).toMatch(
    /^volume-of-/,
  );
  expect(setting.replicas()).toBe(5);
  const now = await Journal.find(cluster, namespace, newSeal);
  expect(now?.noted.outcome).toBe('reverted');
});

test.each<[string, (data: Record<string, string>) => Record<string, string>]>([
  [
    'another image',
    (data) => ({ ...data, record: (data['record'] ?? '').replaceAll(oldImage, 'evil.example/server:12') }),
  ],
  ['another backup', (data) => ({ ...data, backup: 'snapshot-of-the-user' })],
  ['a backup by a path', (data) => ({ ...data, backup: '../x' })],
  ['no record', () => ({ step: 'x' })],
])('nothing is taken from a journal with %s', async (_what, change) => {
  const setting = await upgraded();
  const { cluster } = setting;
  const now = cluster.peek('configmaps', journalName, namespace);
  cluster.put('configmaps', { ...now, data: change(now?.data ?? {}) }).put('volumesnapshots', {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: {
      name: 'snapshot-of-the-user',
      namespace,
      labels: { 'app.kubernetes.io/managed-by': 'circleci-server-postgresql-upgrade' },
    },
    spec: { source: { persistentVolumeClaimName: 'data-postgresql-0' }, volumeSnapshotClassName: 'csi-class' },
  });
  cluster.calls.length = 0;
  const { evidence } = await evidenceOf(setting);
  expect(evidence.record.image).toBe(oldImage);
  expect(evidence.noted.backup ?? '').not.toMatch(/user|\.\./);
  expect(cluster.writes).toEqual([]);
});

describe('the backups that a person can name', () => {
  const name = (digits: string, kind = 'before-upgrade') => `data-postgresql-0-${kind}-${digits}`;

  function addBackups({ cluster }: Live): void {
    const snapshot = (called: string, claim: string, status: object) =>
      cluster.put('volumesnapshots', {
        apiVersion: 'snapshot.storage.k8s.io/v1',
        kind: 'VolumeSnapshot',
        metadata: { name: called, namespace },
        spec: { source: { persistentVolumeClaimName: claim }, volumeSnapshotClassName: 'csi-class' },
        status,
      });
    snapshot(name('20250101000000'), 'data-postgresql-0', { readyToUse: true, creationTime: '2025-01-01T00:00:02Z' });
    snapshot(name('20250102000000'), 'data-postgresql-0', { readyToUse: false, error: { message: 'no room' } });
    snapshot(name('20250103000000'), 'data-of-another', { readyToUse: true });
    snapshot(name('20250104000000', 'live'), 'data-postgresql-0', { readyToUse: true });
    snapshot('data-postgresql-0-of-the-user', 'data-postgresql-0', { readyToUse: true });
    cluster.put('persistentvolumeclaims', {
      metadata: { name: name('20250105000000'), namespace, creationTimestamp: new Date('2025-01-05T00:00:00Z') },
      spec: { dataSource: { kind: 'PersistentVolumeClaim', name: 'data-postgresql-0' } },
      status: { phase: 'Bound' },
    });
  }

  const ours = [
    `PersistentVolumeClaim ${name('20250105000000')}, made at 2025-01-05T00:00:00.000Z, ready`,
    `VolumeSnapshot ${name('20250102000000')}, made at an unknown time, not ready`,
    `VolumeSnapshot ${name('20250101000000')}, made at 2025-01-01T00:00:02Z, ready`,
  ].join('; ');

  test('are listed, the newest first, and nothing of others, where the journal names none', async () => {
    const setting = await upgraded();
    const { cluster } = setting;
    for (const { metadata } of cluster.all('volumesnapshots'))
      cluster.remove('volumesnapshots', metadata.name, namespace);
    addBackups(setting);
    cluster.calls.length = 0;
    const { evidence } = await evidenceOf(setting);
    const said = evidence.lines.join('\n');
    expect(said).toContain(
      `Backups by this action of PersistentVolumeClaim data-postgresql-0: ${ours}. To restore one of them, run`,
    );
    expect(said).toContain(`"confirm: ${confirm} from NAME"`);
    expect(said).not.toMatch(/20250103|20250104|of-the-user/);
    expect(cluster.writes).toEqual([]);
    expect(ungranted(cluster.calls, serverNames(await discover(cluster, given)))).toEqual([]);
  });

  test('are listed beside the one that the journal names, which somebody may have changed', async () => {
    const setting = await upgraded();
    addBackups(setting);
    const { evidence } = await evidenceOf(setting);
    expect(evidence.lines.join('\n')).toMatch(/the action would restore .*, made at [\s\S]*2025-01-05T/);
  });

  test('are listed where "confirm" names none of them', async () => {
    const setting = await upgraded();
    addBackups(setting);
    const wrong = inputs({ mode: 'rollback', confirm: `${confirm} with ${oldImage} from data-of-another` });
    const { code, remedy } = await thrownBy(() => evidenceOf(setting, wrong));
    expect(code).toBe('backup-unknown');
    expect(remedy.text).toContain(ours);
    expect(remedy.text).toContain(`"confirm: ${confirm} with ${oldImage} from NAME"`);
  });

  test('are listed where the journal can be trusted and its backup is gone', async () => {
    const setting = await upgraded();
    const { cluster } = setting;
    for (const { metadata } of cluster.all('volumesnapshots'))
      cluster.remove('volumesnapshots', metadata.name, namespace);
    addBackups(setting);
    const { message, remedy } = await endOfRollback(setting);
    expect(message).toContain('no VolumeSnapshot or PersistentVolumeClaim has that name');
    expect(remedy.text).toContain(ours);
  });

  test('are told by a command where they can not be listed', async () => {
    const setting = await upgraded();
    setting.cluster.refuse('list', 'persistentvolumeclaims', 403, 'forbidden');
    const { evidence } = await evidenceOf(setting);
    expect(evidence.lines.join('\n')).toContain(`kubectl -n ${namespace} get volumesnapshots,persistentvolumeclaims`);
  });

  test('are said to be none where there are none', async () => {
    const setting = await live();
    remember(setting, 1, oldImage);
    const { evidence } = await evidenceOf(setting);
    expect(evidence.lines.join('\n')).toContain(
      'No backup by this action of PersistentVolumeClaim data-postgresql-0 exists',
    );
  });
});

test('an image that the history does not tell has to be named, and no other StatefulSet tells it', async () => {
  const setting = await live();
  remember(setting, 3, 'evil.example/server:12', 'uid-of-another');
  const template = statefulSet();
  const container = template.spec?.template.spec?.containers[0];
  if (container !== undefined) container.image = newImage;
  setting.cluster.put('statefulsets', template);
  const error = await thrownBy(() => evidenceOf(setting));
  expect(error.code).toBe('former-image-unknown');
  expect(error.message).not.toContain('evil');
  expect(error.remedy.text).toContain(`${confirm} with `);
  const { evidence } = await evidenceOf(setting, inputs({ mode: 'rollback', confirm: `${confirm} with ${oldImage}` }));
  expect(evidence.record.image).toBe(oldImage);
});

test.each([
  ['rollback', namespace, { withoutJournal: false, image: undefined, backup: undefined }],
  ['upgrade', namespace, { withoutJournal: false, image: undefined, backup: undefined }],
  ['rollback', confirm, { withoutJournal: true, image: undefined, backup: undefined }],
  ['rollback', `${confirm} with ${oldImage}`, { withoutJournal: true, image: oldImage, backup: undefined }],
  ['rollback', `${namespace} from data-x`, { withoutJournal: false, image: undefined, backup: 'data-x' }],
  ['rollback', `${confirm} with ${oldImage} from x`, { withoutJournal: true, image: oldImage, backup: 'x' }],
  ['rollback', `${confirm} from x with ${oldImage}`, { withoutJournal: true, image: oldImage, backup: 'x' }],
  ['rollback', `${confirm} with ${oldImage} from x with ${oldImage}`, undefined],
  ['rollback', `${namespace} from ../x`, undefined],
  ['upgrade', `${namespace} from data-x`, undefined],
  ['upgrade', confirm, undefined],
  ['rollback', `${confirm} with $(id)`, undefined],
  ['rollback', `${namespace}x`, undefined],
  ['rollback', '', undefined],
])('mode %s with confirm "%s"', (mode, value, expected) => {
  expect(consentOf({ ...inputs({ mode }), confirm: value })).toEqual(expected);
});
