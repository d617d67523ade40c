// What a rehearsal must leave as it was, and what it must not leave.
import { expect } from '@jest/globals';
import { kubectl, kubectlJson, namespace } from './bench.ts';
import { waitFor } from './wait-for.ts';

interface Stored {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly uid: string; readonly resourceVersion: string };
  readonly spec?: { readonly nodeName?: string };
  readonly data?: unknown;
  readonly status?: { readonly containerStatuses?: readonly { readonly restartCount: number }[] };
}

const kinds =
  'statefulsets,deployments,cronjobs,services,secrets,persistentvolumeclaims,networkpolicies,serviceaccounts';
const isOfRehearsal = ({ metadata }: Stored) => metadata.name.includes('rehears');

/** Everything of the server and its applications, by kind and name: what is asked for, and the pods with their restarts. */
export function production(): Record<string, unknown> {
  const { items } = kubectlJson('-n', namespace, 'get', kinds) as { items: Stored[] };
  const pods = (kubectlJson('-n', namespace, 'get', 'pods', '-l', '!job-name') as { items: Stored[] }).items;
  const told: (readonly [name: string, what: unknown])[] = [
    ...items.map(
      ({ kind, metadata, spec, data }) => [`${kind}/${metadata.name}`, { uid: metadata.uid, spec, data }] as const,
    ),
    ...pods.map(({ metadata, spec, status }) => {
      const restarts = (status?.containerStatuses ?? []).map(({ restartCount }) => restartCount);
      return [`Pod/${metadata.name}`, [metadata.uid, spec?.nodeName, ...restarts]] as const;
    }),
  ];
  return Object.fromEntries(told.filter(([name]) => !/rehears|postgres-upgrade-probe/.test(name)));
}

export function expectProduction(before: Record<string, unknown>): void {
  expect(production()).toEqual(before);
}

/** Volumes and contents of snapshots, of all namespaces. */
export function storage(): string {
  return kubectl('get', 'persistentvolumes,volumesnapshotcontents', '-o', 'name');
}

/** Nothing of a rehearsal is in the namespace. */
export function expectNoneLeft(): void {
  const { items } = kubectlJson('-n', namespace, 'get', 'pods,jobs,persistentvolumeclaims,volumesnapshots') as {
    items: Stored[];
  };
  expect(items.filter(isOfRehearsal).map(({ kind, metadata }) => `${kind}/${metadata.name}`)).toEqual([]);
}

/** Nor in the storage, which takes its time, anything beside what was there. */
export async function expectNothingLeft(before: string): Promise<void> {
  expectNoneLeft();
  await waitFor('the storage without the copy', () => storage() === before);
}

/** What the writer has said of changes that were not acknowledged, and of a server that was away, as it is while the release is installed. */
export function unacknowledged(): string[] {
  const log = kubectl('-n', namespace, 'logs', 'deploy/writer');
  return log.split('\n').filter((line) => /not acknowledged|is away|affected \d+ rows/.test(line));
}
