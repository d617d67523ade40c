import type { V1ConfigMap } from '@kubernetes/client-node';
import { ownerLabel } from '../objects/pod.ts';
import type { LeasedCluster } from '../ports/cluster.ts';
import { journalImmutable } from './errors.ts';
import { journalName } from '../objects/journal-name.ts';
import type { JournalData } from './seal.ts';

/** The ConfigMap of a journal. */
export function journalObject(namespace: string, data: JournalData) {
  return { metadata: { name: journalName, namespace, labels: ownerLabel }, data };
}

/**
 * Removes a journal whose content the API server keeps from being changed: one patch makes a ConfigMap immutable, and Kubernetes never reverses that. The caller
 * has the content, and creates it again. A finalizer would keep the ConfigMap as long as somebody likes, so it is removed.
 * @param uid of the ConfigMap
 * @throws UpgradeError `journal-immutable` when it can't be removed
 */
export async function removeImmutable(
  cluster: LeasedCluster,
  namespace: string,
  uid: string | undefined,
): Promise<void> {
  try {
    await cluster.delete('configmaps', journalName, namespace);
    const left = await cluster.find('configmaps', journalName, namespace);
    if (left === undefined || left.metadata?.uid !== uid) return;
    await cluster.patch('configmaps', journalName, namespace, [
      { op: 'test', path: '/metadata/uid', value: uid },
      { op: 'add', path: '/metadata/finalizers', value: [] },
    ]);
  } catch (error) {
    throw journalImmutable(namespace, error);
  }
}

/** Whether two journals hold the same texts, seal included. */
export function isSame(one: V1ConfigMap['data'], other: JournalData): boolean {
  const names = Object.keys(one ?? {});
  return names.length === Object.keys(other).length && names.every((name) => one?.[name] === other[name]);
}
