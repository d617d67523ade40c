import type { ClusterReader } from '../../ports/cluster.ts';
import type { Target } from '../../target/target.ts';
import type { SnapshotClassFacts } from '../../facts/facts.ts';

const defaultClass = 'snapshot.storage.kubernetes.io/is-default-class';

/** The VolumeSnapshotClass for the volume: the one asked for, the only one of its driver, or its driver's default. */
export async function chooseSnapshotClass(
  cluster: ClusterReader,
  target: Target,
  wanted: string,
): Promise<SnapshotClassFacts> {
  const driver = target.volume.persistentVolume?.spec?.csi?.driver;
  if (driver === undefined) return { driver, chosen: undefined, candidates: [] };
  const fitting = (await cluster.list('volumesnapshotclasses')).filter((c) => c.driver === driver);
  const isDefault = fitting.filter((c) => c.metadata.annotations?.[defaultClass] === 'true');
  const [only] = fitting.length === 1 ? fitting : isDefault.length === 1 ? isDefault : [];
  const chosen = wanted === '' ? only : fitting.find((c) => c.metadata.name === wanted);
  return { driver, chosen, candidates: fitting.map((c) => c.metadata.name) };
}
