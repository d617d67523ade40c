import type { V1PersistentVolume, V1PersistentVolumeClaim, V1StatefulSet } from '@kubernetes/client-node';
import { confirmWithoutJournal } from '../../inputs/consent.ts';
import { UpgradeError } from '../../common/errors.ts';
import type { ClusterReader } from '../../ports/cluster.ts';
import { shellRemedy } from '../../text/remedy.ts';
import { shell } from '../../text/shell.ts';
import { counterAnnotation, counterOf } from '../../journal/counter.ts';
import { journalName } from '../../objects/journal-name.ts';
import type { VolumeSwap } from '../../journal/notes.ts';
import { doubtfulNote } from '../../journal/reader.ts';
import type { JournalData } from '../../journal/seal.ts';
import { copyName, kindOfVolume } from '../../objects/copy.ts';
import { renewed } from './volume-swap.ts';

/** The server's claim, which may be missing. */
interface ServersClaim {
  readonly namespace: string;
  readonly statefulSet: V1StatefulSet;
  readonly claimName: string;
}

/** An exchange of volumes that was begun and not completed. */
export interface OpenSwap {
  readonly exchange: VolumeSwap;
  /** UID of the claim that had the former volume. */
  readonly formerClaim: string;
}

/**
 * An exchange of volumes that is not completed, by what the cluster shows. A journal that can't be trusted only says at which volumes to look: the PersistentVolumes themselves
 * show whether the one was the server's, and the other one is to become it. Rights in the namespace alone are not enough to write those. The claim is made from the one that
 * exists, or from the StatefulSet's template.
 * @param untrusted the journal
 */
export async function findOpenSwap(
  cluster: ClusterReader,
  server: ServersClaim,
  untrusted: JournalData | undefined,
): Promise<OpenSwap | undefined> {
  const told = await doubtfulNote(untrusted, 'exchange');
  if (told === undefined) return undefined;
  const names = { volume: told.volume, former: told.former };
  const [claim, volume, former] = await Promise.all([
    cluster.find('persistentvolumeclaims', server.claimName, server.namespace),
    cluster.find('persistentvolumes', names.volume),
    cluster.find('persistentvolumes', names.former),
  ]);
  const formerClaim = former?.spec?.claimRef?.uid;
  if (volume === undefined || former === undefined || formerClaim === undefined) return undefined;
  if (!isOf(former, server, server.claimName) || !isToCome(volume, server)) return undefined;
  const has = claim?.spec?.volumeName;
  if (has !== undefined && has !== names.former && has !== names.volume) return undefined;
  // The exchange was counted on the new volume, and not on the former one any more: a copy of an earlier upgrade has a lower count.
  if (counterOf(volume) === 0 || counterOf(volume) < counterOf(former)) return undefined;
  const planned = claim === undefined ? claimOf(server, volume) : renewed(claim, names.volume);
  return { exchange: { claim: planned, ...names }, formerClaim };
}

/**
 * The server's missing claim, as an exchange of volumes was about to make it.
 * @throws UpgradeError `claim-missing` where the cluster shows no such exchange
 */
export async function claimByEvidence(cluster: ClusterReader, server: ServersClaim): Promise<V1PersistentVolumeClaim> {
  const journal = await cluster.find('configmaps', journalName, server.namespace);
  const open = await findOpenSwap(cluster, server, journal?.data);
  if (open === undefined) throw claimMissing(server);
  return open.exchange.claim;
}

function isOf({ spec }: V1PersistentVolume, { namespace }: ServersClaim, claimName: string): boolean {
  return spec?.claimRef?.namespace === namespace && spec.claimRef.name === claimName;
}

/** The copy's, or promised to the server's claim by name. One that is bound to the server's claim has been exchanged already. */
function isToCome(volume: V1PersistentVolume, server: ServersClaim): boolean {
  const { claimName } = server;
  return (
    isOf(volume, server, copyName({ volume: { claimName } })) ||
    (isOf(volume, server, claimName) && volume.spec?.claimRef?.uid === undefined)
  );
}

/** As the StatefulSet controller makes it, for a volume that exists. Kubernetes binds a volume only to a claim of its own class. */
function claimOf(server: ServersClaim, { metadata, spec }: V1PersistentVolume): V1PersistentVolumeClaim {
  const { namespace, claimName, statefulSet } = server;
  const template = templateOf(server);
  const { accessModes, storageClassName = '', volumeMode, capacity } = spec ?? {};
  const storage = capacity?.['storage'] ?? template?.spec?.resources?.requests?.['storage'];
  return {
    metadata: {
      name: claimName,
      namespace,
      labels: { ...template?.metadata?.labels, ...(template && statefulSet.spec?.selector.matchLabels) },
      annotations: template?.metadata?.annotations ?? {},
    },
    spec: {
      ...kindOfVolume({
        spec: {
          ...(accessModes === undefined ? {} : { accessModes }),
          storageClassName,
          ...(volumeMode === undefined ? {} : { volumeMode }),
        },
      }),
      ...(storage === undefined ? {} : { resources: { requests: { storage } } }),
      volumeName: metadata?.name ?? '',
    },
  };
}

/** Undefined where the claim is one that the StatefulSet only names. */
function templateOf({ statefulSet, claimName }: ServersClaim): V1PersistentVolumeClaim | undefined {
  const { name = '' } = statefulSet.metadata ?? {};
  return statefulSet.spec?.volumeClaimTemplates?.find(
    ({ metadata }) => `${metadata?.name ?? ''}-${name}-0` === claimName,
  );
}

/** Nothing that can be trusted shows which volume was the server's: a person has to choose. */
export function claimMissing(server: ServersClaim): UpgradeError {
  const { namespace, claimName, statefulSet } = server;
  const labels = JSON.stringify(templateOf(server) ? (statefulSet.spec?.selector.matchLabels ?? {}) : {});
  const columns = [
    'NAME:.metadata.name,NAMESPACE:.spec.claimRef.namespace,CLAIM:.spec.claimRef.name,UID:.spec.claimRef.uid',
    `CHANGE:.metadata.annotations.${counterAnnotation}`,
  ].join();
  const manifest = [
    `{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"${claimName}","labels":${labels}},"spec":{`,
    '"accessModes":[{{range $i, $mode := .spec.accessModes}}{{if $i}},{{end}}"{{$mode}}"{{end}}],',
    '"storageClassName":"{{or .spec.storageClassName ""}}","volumeMode":"{{.spec.volumeMode}}",',
    '"resources":{"requests":{"storage":"{{.spec.capacity.storage}}"}},"volumeName":"{{.metadata.name}}"}}',
  ].join('');
  const commands = [
    shell`kubectl get persistentvolumes -o custom-columns=${columns} | grep -e '^NAME' -e ${claimName}`,
    'VOLUME=name-of-the-volume',
    `kubectl patch persistentvolume "$VOLUME" --type merge -p '{"spec":{"claimRef":null}}'`,
    shell`kubectl get persistentvolume "$VOLUME" -o go-template=${manifest} | kubectl -n ${namespace} create -f -`,
  ];
  return new UpgradeError(
    'claim-missing',
    `PersistentVolumeClaim ${claimName} in namespace ${namespace} is missing, and nothing that can be trusted says which PersistentVolume belongs to it. Nothing was changed.`,
    shellRemedy(
      `Keep PostgreSQL stopped. The first command lists the PersistentVolumes that this claim had or was about to get. Choose the one without UID: it is the copy of the backup on which PostgreSQL 12 was started. If all have a UID, choose the one with the highest CHANGE. Give it to the claim by the other commands. Then run "mode: rollback" with "confirm: ${confirmWithoutJournal(namespace)}".`,
      ...commands,
    ),
  );
}
