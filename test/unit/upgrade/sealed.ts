import type { V1ConfigMap } from '@kubernetes/client-node';
import { openAnnotation } from '../../../src/journal/counter.ts';
import { journalName } from '../../../src/objects/journal-name.ts';
import { journalObject } from '../../../src/journal/object.ts';
import { encodeJournal } from '../../../src/journal/reader.ts';
import type { Noted } from '../../../src/journal/notes.ts';
import type { JournalRecord } from '../../../src/journal/record.ts';
import { JournalSeal, type JournalData } from '../../../src/journal/seal.ts';
import type { FakeCluster } from '../fake-cluster.ts';
import { FakeCrypto } from '../fake-crypto.ts';
import { namespace, password } from '../objects.ts';

/** Of the journals in tests: the password is that of `objects.ts`. */
export const seal = new JournalSeal(new FakeCrypto(), password);

/** Any texts as a journal that is correctly signed, whatever they say. */
export async function signed(data: JournalData, by = seal): Promise<V1ConfigMap> {
  const salt = by.newSalt();
  return journalObject(namespace, await by.sign(namespace, { counter: '1', ...data, salt }));
}

/** Ends an upgrade by hand: neither the journal nor the volume says that it is open. */
export function forgetJournal(cluster: FakeCluster): void {
  cluster.remove('configmaps', journalName, namespace);
  for (const volume of cluster.all('persistentvolumes')) {
    const { [openAnnotation]: open, ...annotations } = volume.metadata?.annotations ?? {};
    if (open !== undefined)
      cluster.put('persistentvolumes', { ...volume, metadata: { ...volume.metadata, annotations } });
  }
}

/** The writes to a cluster, but those that only count the changes of the journal on the volume. */
export function writesBesidesCounting({ calls }: FakeCluster): string[] {
  return calls
    .filter(({ method }) => ['create', 'patch', 'delete'].includes(method))
    .filter(({ resource, body }) => resource !== 'persistentvolumes' || !isCount(body))
    .map(({ method, resource, name }) => `${method} ${resource}/${name}`);
}

function isCount(body: unknown): boolean {
  return JSON.stringify(body ?? '').includes('journal-counter');
}

/** A journal as a run writes it. */
export async function sealedJournal(
  record: JournalRecord,
  noted: Readonly<Noted> = {},
  counter = 1,
): Promise<V1ConfigMap> {
  return await signed({ ...(await encodeJournal(record, noted)), counter: String(counter) });
}
