import { readdirSync } from 'node:fs';
import { expect } from '@jest/globals';
import { journalName } from '../../../src/objects/journal-name.ts';
import { leaseName } from '../../../src/objects/lease.ts';
import { rehearsalRecordName } from '../../../src/objects/rehearsal.ts';
import { namespace } from '../objects.ts';
import type { Scene } from './scene.ts';

const names = (all: readonly { metadata?: { name?: string } }[]) =>
  all.map(({ metadata }) => metadata?.name ?? '').sort();

/** Nothing of PostgreSQL 12 or of a rehearsal is left, and one backup of PostgreSQL 14 is. */
export function expectClean({ cluster, volume }: Scene): void {
  expect(readdirSync(volume.root)).toEqual(['data']);
  expect(names(cluster.all('pods'))).toEqual(['postgresql-0']);
  expect(cluster.all('jobs')).toEqual([]);
  expect(names(cluster.all('persistentvolumes'))).toEqual(['pv-1']);
  expect(names(cluster.all('persistentvolumeclaims'))).toEqual(['data-postgresql-0']);
  for (const name of [journalName, rehearsalRecordName])
    expect(cluster.peek('configmaps', name, namespace)).toBeUndefined();
  expect(names(cluster.all('volumesnapshots'))).toEqual([
    expect.stringMatching(/^data-postgresql-0-after-upgrade-\d{14}$/),
  ]);
  const [content, ...others] = cluster.all('volumesnapshotcontents');
  expect(others).toEqual([]);
  expect(content?.spec.deletionPolicy).toBe('Retain');
  expect(cluster.peek('leases', leaseName, namespace)?.spec?.holderIdentity).toBe('');
  for (const object of [
    cluster.peek('statefulsets', 'postgresql', namespace),
    content,
    ...cluster.all('volumesnapshots'),
  ])
    expect(Object.keys(object?.metadata?.labels ?? {}).join()).not.toContain('fencing-token');
}
