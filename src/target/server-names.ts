import type { Target } from './target.ts';

/** Names of one server's objects, by which Kubernetes can grant rights (`resourceNames`). */
export interface ServerNames {
  readonly namespace: string;
  readonly statefulSet: string;
  readonly secret: string;
  readonly claim: string;
  /** PersistentVolume of the claim; '' where it has none. */
  readonly volume: string;
  /** '' where the claim names none. */
  readonly storageClass: string;
  readonly applications: readonly {
    readonly resource: 'deployments' | 'statefulsets' | 'cronjobs' | 'scaledobjects';
    readonly name: string;
  }[];
}

export function serverNames({ namespace, name, secret, volume, applications }: Target): ServerNames {
  const { claim, claimName, persistentVolume } = volume;
  return {
    namespace,
    statefulSet: name,
    secret: secret.name,
    claim: claimName,
    volume: claim.spec?.volumeName ?? persistentVolume?.metadata?.name ?? '',
    storageClass: claim.spec?.storageClassName ?? '',
    applications: applications.map((workload) => ({ resource: workload.resource, name: workload.name })),
  };
}

/** For the documentation: names as the vendor's chart has them, and in capitals those that each server has of its own. */
export const exampleNames: ServerNames = {
  namespace: 'NAMESPACE',
  statefulSet: 'postgresql',
  secret: 'postgresql',
  claim: 'data-postgresql-0',
  volume: 'VOLUME',
  storageClass: 'STORAGECLASS',
  applications: [
    { resource: 'deployments', name: 'DEPLOYMENTS' },
    { resource: 'statefulsets', name: 'STATEFULSETS' },
    { resource: 'cronjobs', name: 'CRONJOBS' },
    { resource: 'scaledobjects', name: 'SCALEDOBJECTS' },
  ],
};
