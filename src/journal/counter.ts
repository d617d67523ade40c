import type { V1PersistentVolume } from '@kubernetes/client-node';
import { ClusterError } from '../common/errors.ts';
import type { ClusterReader, LeasedCluster, PatchOperation } from '../ports/cluster.ts';
import { isTestFailure } from '../objects/fencing-token.ts';

/**
 * Annotation on the PersistentVolume with the number of the journal's last change. PersistentVolumes belong to no namespace: who may write
 * ConfigMaps, or change labels and annotations in the namespace, can't reset it. It stays for good, so that no older journal is ever taken for the
 * present one.
 * Decision: docs/decisions/0008-journal.md
 */
export const counterAnnotation = 'circleci-server-postgresql-upgrade/journal-counter';

/**
 * Annotation on the PersistentVolume that says whether the upgrade of the journal has ended: without it, a journal that somebody deleted would be no journal,
 * and no upgrade would seem to be open.
 */
export const openAnnotation = 'circleci-server-postgresql-upgrade/journal-open';

const annotationsPath = '/metadata/annotations';
const pathOf = (annotation: string) => `${annotationsPath}/${annotation.replaceAll('/', '~1')}`;

/** The counter on the volume; 0 where it has none, and where there is no such volume. */
export function counterOf(volume: Pick<V1PersistentVolume, 'metadata'> | undefined): number {
  const text = volume?.metadata?.annotations?.[counterAnnotation] ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

/** The highest counter of these volumes. */
export async function highestCounter(cluster: ClusterReader, volumes: Iterable<string>): Promise<number> {
  return Math.max(0, ...(await readVolumes(cluster, volumes)).map(counterOf));
}

/** What the server's volume says of the journal. */
export async function countOn(cluster: ClusterReader, volume: string): Promise<{ counter: number; isOpen: boolean }> {
  const [found] = await readVolumes(cluster, [volume]);
  return { counter: counterOf(found), isOpen: found?.metadata?.annotations?.[openAnnotation] === 'true' };
}

/** An account for `mode: status` may have no right to read other volumes than the server's: those count as without counter. */
async function readVolumes(
  cluster: ClusterReader,
  volumes: Iterable<string>,
): Promise<readonly (V1PersistentVolume | undefined)[]> {
  return await Promise.all(
    [...volumes].map(async (name) => {
      try {
        return await cluster.find('persistentvolumes', name);
      } catch (error) {
        if (error instanceof ClusterError && error.code === 'forbidden') return undefined;
        throw error;
      }
    }),
  );
}

/** The PersistentVolume controller writes annotations too, so the object may change between reading and writing. */
const attempts = 5;

/** Writes the journal's annotations on volumes. */
export class CounterKeeper {
  /** UIDs of volumes that are known to have annotations, by name: they need not be read again. */
  private readonly marked = new Map<string, string | undefined>();

  constructor(
    private readonly cluster: LeasedCluster,
    private readonly namespace: string,
  ) {}

  /** A deleted volume is left out: it protects nothing, and what needs it reports that. */
  async keep(volume: string, journal: { counter: number; isClosed: boolean }): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const operations = await this.operations(volume, {
        [counterAnnotation]: String(journal.counter),
        [openAnnotation]: String(!journal.isClosed),
      });
      if (operations === undefined) return;
      try {
        const changed = await this.cluster.patch('persistentvolumes', volume, this.namespace, operations);
        this.marked.set(volume, changed.metadata?.uid);
        return;
      } catch (error) {
        this.marked.delete(volume);
        const isGone = error instanceof ClusterError && error.code === 'not-found';
        if (attempt === attempts || !(isGone || isTestFailure(error))) throw error;
      }
    }
  }

  /** Undefined where there is no such volume. An object without annotations gets them only if it is as it was read: others may add some meanwhile. */
  private async operations(
    volume: string,
    wanted: Readonly<Record<string, string>>,
  ): Promise<PatchOperation[] | undefined> {
    const writes = Object.entries(wanted).map(([name, value]): PatchOperation => ({
      ...{ op: 'add', path: pathOf(name), value },
    }));
    if (this.marked.has(volume))
      return [{ op: 'test', path: '/metadata/uid', value: this.marked.get(volume) }, ...writes];
    const now = await this.cluster.find('persistentvolumes', volume);
    if (now === undefined) return undefined;
    const { uid, annotations, resourceVersion } = now.metadata ?? {};
    return annotations === undefined
      ? [
          { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
          { op: 'add', path: annotationsPath, value: wanted },
        ]
      : [{ op: 'test', path: '/metadata/uid', value: uid }, ...writes];
  }
}
