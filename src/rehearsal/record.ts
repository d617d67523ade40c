// What a rehearsal leaves for the upgrade: the only object of it that stays. It is sealed as a journal is, with another purpose, so that neither passes for the other.
// Decision: docs/decisions/0034-rehearsal.md
import { z } from 'zod';
import { runAddress } from '../common/grammar.ts';
import { digests, type Digests } from '../database/digests.ts';
import { ownerLabel } from '../objects/pod.ts';
import { rehearsalRecordName } from '../objects/rehearsal.ts';
import type { JournalSeal } from '../journal/seal.ts';
import type { ClusterReader, LeasedCluster } from '../ports/cluster.ts';
import { compareImages } from '../target/image-digests.ts';
import { volumeName, type Target } from '../target/target.ts';
import { backupProof } from './backup-proof.ts';
import { foreign } from './sweep.ts';

const identity = z.strictObject({
  /** Of PostgreSQL 12. */
  systemIdentifier: z.string().min(1).max(20),
  /** UID of the server's PersistentVolumeClaim. */
  claim: z.string().min(1).max(100),
  /** Name of its PersistentVolume. */
  volume: z.string().min(1).max(253),
});

/** Which server was rehearsed, on which volume: another one may have the same namespace, password and schema. */
type Identity = z.infer<typeof identity>;

/** @returns undefined where not all of it is known */
export function identityOf({ volume }: Pick<Target, 'volume'>, databases: Digests): Identity | undefined {
  const systemIdentifier = Object.values(databases)[0]?.systemIdentifier;
  const claim = volume.claim.metadata?.uid;
  return identity.safeParse({ systemIdentifier, claim, volume: volumeName({ volume }) }).data;
}

/** What a rehearsal is valid for. */
export interface Rehearsed {
  readonly server: Identity;
  /** As `settingsDigest` makes it. */
  readonly settings: string;
  /** imageID of the upgrade Job's image and of PostgreSQL 14: as the pods on the copy had them, and as the probes of an upgrade see them. */
  readonly images: readonly [string, string];
  readonly databases: Digests;
}

const first = z.strictObject({
  schema: z.literal(1),
  runId: z.string().max(500),
  /** By the API server's clock. */
  endedAt: z.iso.datetime(),
  /** Whether no finding blocks, by `fail-on` of the rehearsal: as the run itself ended. */
  passed: z.boolean(),
  rehearsed: z.strictObject({
    server: identity,
    settings: z.string().regex(/^[0-9a-f]{64}$/),
    images: z.tuple([z.string().max(500), z.string().max(500)]),
    databases: digests,
  }),
  /** Seconds of each stage, by its id. */
  seconds: z.record(z.string().regex(/^rehearsal-[a-z-]{1,40}$/), z.number().nonnegative()),
});

const second = first.extend({
  schema: z.literal(2),
  runId: runAddress,
  /** Missing where no copy was seen to be restored, and where it is not known when the storage cuts snapshots. */
  proof: backupProof.optional(),
});

/** One of the first kind counts as well, but proves no backup. */
const record = z.discriminatedUnion('schema', [first, second]);

export type RehearsalRecord = z.infer<typeof record>;

/**
 * The record of the last rehearsal.
 * @returns undefined where there is none; `foreign` for one that nobody sealed who knows the superuser's password
 */
export async function findRecord(
  cluster: ClusterReader,
  namespace: string,
  seal: JournalSeal,
): Promise<RehearsalRecord | 'foreign' | undefined> {
  const found = await cluster.find('configmaps', rehearsalRecordName, namespace);
  if (found === undefined) return undefined;
  if (!(await seal.isAuthentic(namespace, found.data ?? {}))) return 'foreign';
  try {
    return record.parse(JSON.parse(found.data?.['record'] ?? ''));
  } catch {
    return 'foreign';
  }
}

/**
 * Removes the record of the rehearsal before. The next one does so before it begins: whatever that one's end is, the older result does not count any more.
 * @throws ClusterError `rehearsal-foreign` where no rehearsal made the ConfigMap of that name
 */
export async function removeRecord(cluster: LeasedCluster, namespace: string): Promise<void> {
  const found = await cluster.find('configmaps', rehearsalRecordName, namespace);
  if (found === undefined) return;
  const { metadata, data = {} } = found;
  const isOwned = Object.entries(ownerLabel).every(([name, value]) => metadata?.labels?.[name] === value);
  const isSealed = data['record'] !== undefined && data['seal'] !== undefined;
  if (!isOwned && !isSealed) throw foreign(namespace, 'configmap', rehearsalRecordName);
  await cluster.delete('configmaps', rehearsalRecordName, namespace, { preconditions: { uid: metadata?.uid } });
}

/**
 * Writes the record in the place of the one before.
 * @throws ClusterError `rehearsal-foreign` where no rehearsal made the ConfigMap of that name
 */
export async function writeRecord(
  cluster: LeasedCluster,
  namespace: string,
  seal: JournalSeal,
  written: RehearsalRecord,
): Promise<void> {
  const data = await seal.sign(namespace, { record: JSON.stringify(written), salt: seal.newSalt() });
  await removeRecord(cluster, namespace);
  const metadata = { name: rehearsalRecordName, namespace, labels: ownerLabel };
  await cluster.create('configmaps', { metadata, data }, { namespace });
}

/**
 * Why a rehearsal does not count for this server now; undefined where it counts.
 * @param limit milliseconds for which one is valid (`rehearsal-valid`)
 */
export function whyInvalid(
  found: RehearsalRecord | 'foreign' | undefined,
  now: Date,
  limit: number,
  server: Rehearsed,
): string | undefined {
  if (found === undefined) return 'there was none';
  if (found === 'foreign') return `nobody who knows the superuser's password wrote ConfigMap ${rehearsalRecordName}`;
  const age = now.getTime() - new Date(found.endedAt).getTime();
  if (!found.passed) return `the rehearsal of ${found.endedAt} did not pass`;
  if (age > limit) return `the rehearsal of ${found.endedAt} is too old`;
  // No run has written it: the API server's clock does not go back.
  if (age < -clockDifference) return `the rehearsal of ${found.endedAt} is in the future`;
  if (isAnother(found.rehearsed.server, server.server))
    return `the rehearsal of ${found.endedAt} was of another server or of another volume`;
  if (found.rehearsed.images.some((image, index) => !isSameImage(image, server.images[index] ?? '')))
    return `since the rehearsal of ${found.endedAt} the images have changed`;
  if (found.rehearsed.settings !== server.settings)
    return `since the rehearsal of ${found.endedAt} the inputs of the upgrade, the pod template of PostgreSQL or the version of the action have changed`;
  const changed = changedDatabases(found.rehearsed.databases, server.databases);
  return changed.length === 0
    ? undefined
    : `since the rehearsal of ${found.endedAt} the schema, the roles or the settings have changed (${changed.slice(0, 5).join(', ')})`;
}

/** Milliseconds by which the clocks of several API servers may differ. */
const clockDifference = 60_000;

/** By the digest, where both have one: two nodes may name its repository in two ways. */
function isSameImage(then: string, now: string): boolean {
  const alone = (imageId: string) => ({ imageId, node: '', platform: '' });
  return then === now || compareImages(alone(then), alone(now)) === 'same';
}

function isAnother(then: Identity, now: Identity): boolean {
  return (['systemIdentifier', 'claim', 'volume'] as const).some((name) => then[name] !== now[name]);
}

function changedDatabases(then: Digests, now: Digests): string[] {
  const names = [...new Set([...Object.keys(then), ...Object.keys(now)])];
  return names.filter((name) => JSON.stringify(then[name]) !== JSON.stringify(now[name])).sort();
}
