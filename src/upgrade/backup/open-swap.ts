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

/** The server's claim, which may just not be there. */
interface ServersClaim {
  readonly namespace: string;
  readonly statefulSet: V1StatefulSet;
  readonly claimName: string;
}

/** An exchange of volumes that was begun and did not come to its end. */
export interface OpenSwap {
  readonly exchange: VolumeSwap;
  /** UID of the claim that had the former volume. */
  readonly formerClaim: string;
}

/**
 * An exchange of volumes that is not at its end, by what the cluster shows. A journal that can't be trusted says at which volumes to look, and no more: the PersistentVolumes themselves
 * tell whether the one was the server's, and the other one is to be. Nobody can write those who has rights in the namespace alone. The claim is made of the one that
 * there is, or of the StatefulSet's template.
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
  // That it takes the place was counted on it, and not on the former one any more: a copy of an earlier upgrade is behind.
  if (counterOf(volume) === 0 || counterOf(volume) < counterOf(former)) return undefined;
  const planned = claim === undefined ? claimOf(server, volume) : renewed(claim, names.volume);
  return { exchange: { claim: planned, ...names }, formerClaim };
}

/**
 * The server's claim where there is none, as an exchange of volumes was about to make it.
 * @throws UpgradeError `claim-missing` where the cluster does not show that there was one
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

/** The copy's, or promised to the server's claim by name. One that is bound to the server's claim has come already. */
function isToCome(volume: V1PersistentVolume, server: ServersClaim): boolean {
  const { claimName } = server;
  return (
    isOf(volume, server, copyName({ volume: { claimName } })) ||
    (isOf(volume, server, claimName) && volume.spec?.claimRef?.uid === undefined)
  );
}

/** As the StatefulSet controller makes it, for a volume that is there. Only a claim of the volume's own class is bound to it. */
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

/** Nothing that can be trusted tells which volume was the server's: a person has to. */
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
    `There is no PersistentVolumeClaim ${claimName} in namespace ${namespace}, and nothing that can be trusted tells which PersistentVolume is to be its own. Nothing was changed.`,
    shellRemedy(
      `Keep PostgreSQL stopped. The first command lists the PersistentVolumes that this claim had or is to have. Choose the one without UID: it is the copy of the backup on which PostgreSQL 12 was started. If all have a UID, choose the one with the highest CHANGE. Then give it to the claim, and run "mode: rollback" with "confirm: ${confirmWithoutJournal(namespace)}".`,
      ...commands,
    ),
  );
}
