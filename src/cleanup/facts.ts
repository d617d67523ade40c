import type {
  V1Job,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1VolumeAttachment,
} from '@kubernetes/client-node';
import { allNamed } from '../common/parallel.ts';
import { known, type Known } from '../common/known.ts';
import { upgrade } from '../common/versions.ts';
import type { Database } from '../database/database.ts';
import { readServer, type ServerFacts } from '../database/server.ts';
import { quoted } from '../database/obstacles.ts';
import type { SnapshotClassFacts } from '../facts/facts.ts';
import { findJournal } from '../journal/find-journal.ts';
import type { JournalSeal } from '../journal/seal.ts';
import type { Inputs } from '../inputs/inputs.ts';
import { isOfUpgrade } from '../objects/snapshot.ts';
import type { MissingPermission } from '../permissions/permissions.ts';
import type { ClusterReader, ResourceTypes, VolumeSnapshot } from '../ports/cluster.ts';
import type { CleanupReport } from '../report/report-shape.ts';
import type { Target } from '../target/target.ts';
import { readOldFiles, type OldFiles } from './old-files.ts';

type Content = ResourceTypes['volumesnapshotcontents'];

/** What the journal says of the last upgrade, as far as a cleanup asks. */
export interface History {
  /** Of the ConfigMap. */
  readonly uid: string | undefined;
  /** Undefined while the upgrade is open. */
  readonly outcome: 'upgraded' | 'reverted' | undefined;
  /** When it restarted the applications; undefined where it does not say so. */
  readonly releasedAt: Date | undefined;
  /** The upgrade, as its Job has written it into the data directory. */
  readonly run: string;
  /** UID of the server's claim. */
  readonly claim: string;
  /** The server's volume, and what was to happen to it when its claim is deleted, before the upgrade. */
  readonly volume: string;
  readonly reclaimPolicy: string;
}

/** What a cleanup is judged by. */
export interface CleanupFacts {
  readonly target: Target;
  readonly inputs: Inputs;
  /** By the API server's clock. */
  readonly now: Date;
  /** Undefined inside where there is no journal. */
  readonly history: Known<History | undefined>;
  readonly server: Known<ServerFacts>;
  /** Settings of the server that name the old data directory. */
  readonly settings: Known<readonly string[]>;
  readonly files: Known<OldFiles>;
  readonly pods: Known<readonly V1Pod[]>;
  readonly jobs: Known<readonly V1Job[]>;
  readonly claims: Known<readonly V1PersistentVolumeClaim[]>;
  readonly snapshots: Known<readonly VolumeSnapshot[]>;
  /** Of those that upgrades of this action took, by their names. */
  readonly contents: Known<ReadonlyMap<string, Content>>;
  readonly volumes: Known<readonly V1PersistentVolume[]>;
  readonly attachments: Known<readonly V1VolumeAttachment[]>;
  readonly snapshotClass: Known<SnapshotClassFacts>;
  readonly missing: Known<readonly MissingPermission[]>;
  readonly rehearsals: Known<OfRehearsals>;
}

type Reported = CleanupReport['items'][number];

/** What rehearsals have left; the mode reads it, and removes it. */
export interface OfRehearsals {
  readonly items: readonly (Omit<Reported, 'isRemoved'> & { /** UID. */ readonly id: string })[];
  readonly left: CleanupReport['left'];
}

export interface CleanupReaders {
  readonly cluster: ClusterReader;
  readonly database: Database;
  readonly target: Target;
  readonly seal: JournalSeal;
  readonly inputs: Inputs;
  readonly readSnapshotClass: () => Promise<SnapshotClassFacts>;
  readonly readMissing: () => Promise<readonly MissingPermission[]>;
  readonly readRehearsals: () => Promise<OfRehearsals>;
}

/**
 * Reads all that a cleanup is judged by, side by side. What can't be read is unknown.
 * @param target as it is now
 */
export async function readCleanupFacts(readers: CleanupReaders): Promise<CleanupFacts> {
  const { cluster, database, target, inputs } = readers;
  const { namespace } = target;
  const facts = await allNamed<Omit<CleanupFacts, 'target' | 'inputs' | 'now' | 'contents'>>({
    history: () => known(() => readHistory(readers)),
    server: () => known(() => readServer(database)),
    settings: () => known(() => settingsOf(database, target)),
    files: () => known(() => readOldFiles(database, target)),
    pods: () => known(() => cluster.list('pods', { namespace })),
    jobs: () => known(() => cluster.list('jobs', { namespace })),
    claims: () => known(() => cluster.list('persistentvolumeclaims', { namespace })),
    snapshots: () => known(() => listSnapshots(cluster, namespace)),
    volumes: () => known(() => cluster.list('persistentvolumes')),
    attachments: () => known(() => cluster.list('volumeattachments')),
    snapshotClass: () => known(readers.readSnapshotClass),
    missing: () => known(readers.readMissing),
    rehearsals: () => known(readers.readRehearsals),
  });
  const ours = (facts.snapshots.known ? facts.snapshots.value : []).filter((one) => isOfUpgrade(target, one));
  const contents = await known(() => contentsOf(cluster, ours));
  return { target, inputs, ...facts, contents, now: await cluster.now() };
}

async function readHistory({ cluster, target, seal }: CleanupReaders): Promise<History | undefined> {
  const journal = await findJournal(cluster, target, seal);
  if (journal === undefined) return undefined;
  const { record, noted } = journal;
  return {
    uid: journal.objectUid,
    outcome: noted.outcome,
    releasedAt: noted.released?.at,
    run: asNoted(`${record.runId}@${record.startedAt}`),
    claim: record.uids.claim,
    volume: journal.volume,
    reclaimPolicy: record.reclaimPolicy,
  };
}

/** As upgrade.sh writes it: each byte that is no graphic character of ASCII becomes an underscore. */
function asNoted(run: string): string {
  const isGraphic = (byte: number) => byte > 0x20 && byte < 0x7f;
  return Array.from(new TextEncoder().encode(run), (byte) => (isGraphic(byte) ? String.fromCharCode(byte) : '_')).join(
    '',
  );
}

/** Whether the journal says that its upgrade succeeded, whatever StatefulSet there is now. */
export function saysUpgraded({ history }: Pick<CleanupFacts, 'history'>): boolean {
  return history.known && history.value?.outcome === 'upgraded';
}

/** Whether the server that serves is the one which the journal says that it upgraded: by claim and volume, and by the mark that the Job has left in the data directory. */
export function isUpgradeOf(facts: Pick<CleanupFacts, 'history' | 'files' | 'target'>): boolean {
  const { history, files, target } = facts;
  if (!saysUpgraded(facts) || !history.known || history.value === undefined || !files.known) return false;
  const { run, claim, volume } = history.value;
  return (
    files.value.run === run &&
    claim === target.volume.claim.metadata?.uid &&
    volume === target.volume.persistentVolume?.metadata?.name
  );
}

/** Whether it is known that no upgrade of this action made the data directory that serves. Nothing shows then that it has the data which the backups have. */
export function isUnmarked({ files }: Pick<CleanupFacts, 'files'>): boolean {
  return files.known && files.value.run === '';
}

async function settingsOf(database: Database, { dataDirectory }: Target): Promise<string[]> {
  const path = quoted(`${dataDirectory}-${String(upgrade.from)}.preupgrade`);
  const sql = `SELECT name FROM pg_catalog.pg_settings WHERE pg_catalog.strpos(setting, ${path}) > 0 ORDER BY name;`;
  return (await database.read('template1', sql)).split('\n').filter((line) => line !== '');
}

async function listSnapshots(cluster: ClusterReader, namespace: string): Promise<VolumeSnapshot[]> {
  return (await cluster.serves('volumesnapshots')) ? await cluster.list('volumesnapshots', { namespace }) : [];
}

/** Only those that the snapshots name: the account may not list all of the cluster. */
async function contentsOf(
  cluster: ClusterReader,
  snapshots: readonly VolumeSnapshot[],
): Promise<ReadonlyMap<string, Content>> {
  const found = await Promise.all(
    snapshots.map(async ({ metadata, status }) => {
      const name = status?.boundVolumeSnapshotContentName;
      const content = name === undefined ? undefined : await cluster.find('volumesnapshotcontents', name);
      return content === undefined ? [] : [[metadata.name, content] as const];
    }),
  );
  return new Map(found.flat());
}
