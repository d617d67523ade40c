import { bytesOf } from '../common/bytes.ts';
import { upgrade } from '../common/versions.ts';
import { journalName } from '../objects/journal-name.ts';
import { backupOfNew, isOfUpgrade, isOfVolume, servedByNew } from '../objects/snapshot.ts';
import { backupClaimName, copyName } from '../objects/copy.ts';
import { mountsClaim } from '../target/volume-users.ts';
import { isUnmarked, type CleanupFacts, type OfRehearsals } from './facts.ts';
import { servingSince } from './health.ts';
import type { OldDirectory } from './old-files.ts';
import {
  hasJobName,
  isAtWork,
  isWholeBackup,
  isContentOf,
  hadServersClaim,
  isJobOfUpgrade,
  isRetainOfUpgrade,
  whyNotFormer,
  whyShared,
} from './ours.ts';

/** Something that a cleanup removes. */
export interface Item {
  readonly kind:
    | 'Directory'
    | 'Job'
    | 'PersistentVolumeClaim'
    | 'VolumeSnapshot'
    | 'PersistentVolume'
    | 'ReclaimPolicy'
    | 'ConfigMap';
  readonly name: string;
  /** Of an object its UID, of a directory its device and inode: what has the same name and another one is not removed. */
  readonly id: string;
  /** What it takes in the storage; undefined where nothing tells it. */
  readonly bytes?: number | undefined;
  /** What it is, and why it is ours. */
  readonly why: string;
}

/** Something like what a cleanup removes, which it leaves. */
interface Left {
  readonly kind: string;
  readonly name: string;
  readonly why: string;
}

export interface Inventory {
  /** In the order in which they go: the journal at the end, since the others are told by it. */
  readonly items: readonly Item[];
  /** What rehearsals have left. It goes at the very end: nothing is told by it. */
  readonly ofRehearsals: OfRehearsals['items'];
  readonly left: readonly Left[];
  /** Uses of items by others, a sentence each. */
  readonly uses: readonly string[];
}

const from = String(upgrade.from);

const purposes: Readonly<Record<OldDirectory['kind'], string>> = {
  old: `the data directory of PostgreSQL ${from}`,
  tablespace: `what PostgreSQL ${from} has in a tablespace`,
  logs: 'logs of pg_upgrade',
  state: 'notes of the upgrade Job',
};

/** All that a cleanup would remove, as far as it is known. */
export function inventoryOf(facts: CleanupFacts): Inventory {
  const parts = [directories(facts), jobs(facts), claims(facts), snapshots(facts), volumes(facts), ends(facts)];
  const rehearsals = facts.rehearsals.known ? facts.rehearsals.value : { items: [], left: [] };
  return {
    items: parts.flatMap(({ items = [] }) => items),
    ofRehearsals: rehearsals.items,
    left: [...parts.flatMap(({ left = [] }) => left), ...rehearsals.left],
    uses: parts.flatMap(({ uses = [] }) => uses),
  };
}

const oddPath = `it is ${purposes.tablespace}. The action removes nothing whose path has a line end or a tab. Remove it by hand: no later cleanup finds it`;

type Part = Partial<Inventory>;

function directories({ files }: CleanupFacts): Part {
  if (!files.known) return {};
  return {
    items: files.value.directories.map(({ kind, path, id, bytes }) => ({
      kind: 'Directory',
      name: path,
      id,
      bytes,
      why: purposes[kind],
    })),
    // Quoted: its name has a line end or a tab.
    left: files.value.odd.map((path) => ({ kind: 'Directory', name: JSON.stringify(path), why: oddPath })),
  };
}

function jobs({ jobs: all }: CleanupFacts): Part {
  const named = (all.known ? all.value : []).filter(hasJobName);
  return {
    items: named
      .filter((job) => isJobOfUpgrade(job) && !isAtWork(job))
      .map(({ metadata }) => ({
        kind: 'Job',
        name: metadata?.name ?? '',
        id: metadata?.uid ?? '',
        why: 'has ended, and runs the script of this action',
      })),
    left: named
      .filter((job) => !isJobOfUpgrade(job))
      .map(({ metadata }) => ({ kind: 'Job', name: metadata?.name ?? '', why: 'this action did not make it' })),
  };
}

/** Whether something was made before PostgreSQL 14 served: what was made since is of another try. */
function isEarlier(facts: CleanupFacts, made: Date | string | undefined): boolean {
  const since = servingSince(facts);
  return since === undefined || (made !== undefined && new Date(made).getTime() <= since.getTime());
}

const tooNew = 'it was made after PostgreSQL 14 had begun to serve';

const ofOtherClaim = "it is not known to be younger than the server's PersistentVolumeClaim, so it may hold other data";

const unmarked = 'nothing in the data directory shows that an upgrade of this action made it';

/** Whether something was made since the server has its claim. An earlier claim of the same name may have had other data. */
function isOfClaim({ target }: CleanupFacts, made: Date | string | undefined): boolean {
  const claimed = target.volume.claim.metadata?.creationTimestamp;
  return claimed !== undefined && made !== undefined && new Date(made).getTime() >= new Date(claimed).getTime();
}

/** Why a backup of PostgreSQL 12 stays; undefined where it may go. */
function whyNeeded(facts: CleanupFacts, made: Date | string | undefined): string | undefined {
  if (isUnmarked(facts)) return unmarked;
  if (!isOfClaim(facts, made)) return ofOtherClaim;
  return isEarlier(facts, made) ? undefined : tooNew;
}

function claims(facts: CleanupFacts): Part {
  const { claims: all, volumes: known, pods, target } = facts;
  if (!all.known || !known.known) return {};
  const items: Item[] = [];
  const left: Left[] = [];
  const uses: string[] = [];
  for (const claim of all.value) {
    const { name = '', uid = '', creationTimestamp } = claim.metadata ?? {};
    if (!name.startsWith(backupClaimName(target, '')) && name !== copyName(target)) continue;
    const volume = known.value.find(({ metadata }) => metadata?.name === claim.spec?.volumeName);
    const kind = 'PersistentVolumeClaim';
    const why = !isWholeBackup(target, claim, volume)
      ? 'it is no complete backup that this action made of the volume'
      : volume === undefined
        ? 'its PersistentVolume does not exist'
        : (whyNeeded(facts, creationTimestamp) ?? whyShared(volume, known.value));
    if (why !== undefined) left.push({ kind, name, why });
    else {
      const bytes = bytesOf(volume?.spec?.capacity?.['storage'] ?? claim.spec?.resources?.requests?.['storage']);
      items.push({ kind, name, id: uid, bytes, why: 'the backup from before an upgrade, with its volume' });
      uses.push(...usersOf(facts, name).map((pod) => `pod ${pod} names PersistentVolumeClaim ${name}`));
      uses.push(...filledFrom(facts, kind, name));
    }
  }
  if (!pods.known) return { left };
  return { items, left, uses };
}

/** Ended pods too keep Kubernetes from deleting a claim. Those of our ended Jobs go with them. */
function usersOf({ pods, jobs: all }: CleanupFacts, claim: string): string[] {
  const going = (all.known ? all.value : []).filter((job) => isJobOfUpgrade(job) && !isAtWork(job));
  const uids = new Set(going.flatMap(({ metadata }) => metadata?.uid ?? []));
  return (pods.known ? pods.value : [])
    .filter((pod) => mountsClaim(pod, claim))
    .filter(({ metadata }) => !(metadata?.ownerReferences ?? []).some(({ uid }) => uids.has(uid)))
    .map(({ metadata }) => metadata?.name ?? '');
}

/** Claims that the storage has still to fill from something. */
function filledFrom({ claims: all }: CleanupFacts, kind: string, name: string): string[] {
  return (all.known ? all.value : [])
    .filter(({ spec, status }) => {
      const sources = [spec?.dataSource, spec?.dataSourceRef];
      return status?.phase !== 'Bound' && sources.some((source) => source?.kind === kind && source.name === name);
    })
    .map(({ metadata }) => `PersistentVolumeClaim ${metadata?.name ?? ''} is to be filled from ${kind} ${name}`);
}

function snapshots(facts: CleanupFacts): Part {
  const { snapshots: all, contents, target } = facts;
  if (!all.known || !contents.known) return {};
  const items: Item[] = [];
  const left: Left[] = [];
  const uses: string[] = [];
  const kind = 'VolumeSnapshot';
  for (const snapshot of all.value) {
    const { name, uid = '', creationTimestamp } = snapshot.metadata;
    if (isOfVolume(target, snapshot, backupOfNew))
      left.push({ kind, name, why: 'it is a backup of PostgreSQL 14 that a cleanup took' });
    if (!isOfUpgrade(target, snapshot)) continue;
    const content = contents.value.get(name);
    const why = isOfVolume(target, snapshot, servedByNew)
      ? 'only it holds what PostgreSQL 14 had written before a revert or a rollback'
      : content === undefined || isContentOf(snapshot, content, target.namespace)
        ? whyNeeded(facts, creationTimestamp)
        : `its content ${content.metadata.name} belongs to another snapshot`;
    if (why !== undefined) left.push({ kind, name, why });
    else {
      const bytes = bytesOf(snapshot.status?.restoreSize);
      items.push({ kind, name, id: uid, bytes, why: 'an upgrade took it of the volume; it goes with its content' });
      uses.push(...filledFrom(facts, kind, name));
    }
  }
  return { items, left, uses };
}

function volumes(facts: CleanupFacts): Part {
  const { volumes: all, attachments, target } = facts;
  if (!all.known) return {};
  const had = all.value.filter((volume) => hadServersClaim(target, volume));
  const why = isUnmarked(facts) ? unmarked : undefined;
  const reasons = had.map((volume) => [volume, whyNotFormer(target, volume, all.value) ?? why] as const);
  const former = reasons.filter(([, why]) => why === undefined).map(([volume]) => volume);
  const attached = (attachments.known ? attachments.value : []).map(({ spec }) => spec.source.persistentVolumeName);
  return {
    items: former.map(({ metadata, spec }) => ({
      kind: 'PersistentVolume',
      name: metadata?.name ?? '',
      id: metadata?.uid ?? '',
      bytes: bytesOf(spec?.capacity?.['storage']),
      why: 'the volume that the server had before a restore, with what was written to it by then; nothing has it now',
    })),
    left: reasons.flatMap(([{ metadata }, why]) =>
      why === undefined ? [] : [{ kind: 'PersistentVolume', name: metadata?.name ?? '', why }],
    ),
    uses: former
      .map(({ metadata }) => metadata?.name ?? '')
      .filter((name) => attached.includes(name))
      .map((name) => `PersistentVolume ${name} is attached to a node`),
  };
}

function ends(facts: CleanupFacts): Part {
  const { history, target } = facts;
  if (!history.known || history.value === undefined) return {};
  const { uid, outcome, reclaimPolicy } = history.value;
  const { name = '', uid: id = '' } = target.volume.persistentVolume?.metadata ?? {};
  const items: Item[] = [];
  if (isRetainOfUpgrade(target, history.value))
    items.push({
      kind: 'ReclaimPolicy',
      name,
      id,
      why: `an upgrade set it to Retain; it becomes ${reclaimPolicy} again`,
    });
  if (outcome === undefined || uid === undefined) return { items };
  const kind = 'ConfigMap';
  if (isUnmarked(facts)) return { items, left: [{ kind, name: journalName, why: unmarked }] };
  return { items: [...items, { kind, name: journalName, id: uid, why: 'the journal of the last upgrade' }] };
}
