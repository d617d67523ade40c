import { resources, type Cluster, type ResourceName } from '../ports/cluster.ts';

/** One thing that the kubeconfig's user must be allowed to do. */
export interface Permission {
  readonly verb: 'get' | 'list' | 'create' | 'patch' | 'delete';
  readonly resource: ResourceName;
  readonly subresource?: string;
  /** From which mode on: an upgrade needs all that a precheck needs. */
  readonly mode: 'precheck' | 'upgrade';
  readonly why: string;
  /** Asked only where the API server has the resource at all. */
  readonly ifServed?: true;
  /** In all namespaces. */
  readonly everywhere?: true;
  /** Ids of the checks that can't tell all without it; where there are any, nothing else needs it. */
  readonly informs?: readonly string[];
  /** What those checks answer then, where that is not `unknown`: each of them says why. */
  readonly without?: 'warning';
}

/**
 * All that the action asks of the API server, and why. The check
 * `permissions`, the Role in the README and a test that compares the API
 * server's audit log come from this table.
 */
export const permissions: readonly Permission[] = [
  { verb: 'get', resource: 'namespaces', mode: 'precheck', why: 'find the namespace' },
  { verb: 'get', resource: 'statefulsets', mode: 'precheck', why: 'find PostgreSQL' },
  { verb: 'list', resource: 'statefulsets', mode: 'precheck', why: 'find PostgreSQL and the application layer' },
  { verb: 'list', resource: 'deployments', mode: 'precheck', why: 'find the application layer' },
  { verb: 'list', resource: 'cronjobs', mode: 'precheck', why: 'find the application layer' },
  { verb: 'get', resource: 'pods', mode: 'precheck', why: "find the server's pod, follow probes" },
  { verb: 'list', resource: 'pods', mode: 'precheck', why: 'find who uses the volume' },
  { verb: 'get', resource: 'persistentvolumeclaims', mode: 'precheck', why: 'find the volume' },
  { verb: 'get', resource: 'persistentvolumes', mode: 'precheck', why: 'find the CSI driver' },
  { verb: 'get', resource: 'secrets', mode: 'precheck', why: "read the superuser's password" },
  {
    verb: 'list',
    resource: 'secrets',
    mode: 'precheck',
    why: 'see whether Helm is in the middle of a change (only the metadata of its Secrets is asked for, but the right itself is wider)',
    informs: ['helm-release'],
  },
  { verb: 'get', resource: 'configmaps', mode: 'precheck', why: 'find the journal of an earlier upgrade' },
  { verb: 'list', resource: 'jobs', mode: 'precheck', why: 'find Jobs of an earlier upgrade' },
  { verb: 'get', resource: 'leases', mode: 'precheck', why: 'see whether another run is at it' },
  { verb: 'list', resource: 'volumesnapshotclasses', mode: 'precheck', why: 'find how to take the backup' },
  {
    verb: 'get',
    resource: 'storageclasses',
    mode: 'precheck',
    why: 'see whether a copy of the volume can be made, and whether it can be enlarged',
    informs: ['storage-class'],
    without: 'warning',
  },
  {
    verb: 'list',
    resource: 'nodes',
    mode: 'precheck',
    why: 'see which nodes would take the upgrade Job where the volume can go',
    informs: ['placement'],
    without: 'warning',
  },
  {
    verb: 'list',
    resource: 'poddisruptionbudgets',
    mode: 'precheck',
    why: "see who waits for the server's pod to go",
    informs: ['placement'],
    without: 'warning',
  },
  // The exec subresource is opened by GET (WebSocket); newer API servers ask for create too.
  { verb: 'get', resource: 'pods', subresource: 'exec', mode: 'precheck', why: "run psql in the server's pod" },
  { verb: 'create', resource: 'pods', subresource: 'exec', mode: 'precheck', why: "run psql in the server's pod" },
  {
    verb: 'get',
    resource: 'pods',
    subresource: 'log',
    mode: 'precheck',
    why: 'read the logs of probes and of the upgrade Job',
  },
  {
    verb: 'create',
    resource: 'pods',
    mode: 'precheck',
    why: 'probe the images; try the admission of the upgrade Job by a dry run',
  },
  { verb: 'delete', resource: 'pods', mode: 'precheck', why: 'remove the probes' },
  {
    verb: 'create',
    resource: 'jobs',
    mode: 'precheck',
    why: 'try the admission of the upgrade Job by a dry run; run it',
  },
  {
    verb: 'create',
    resource: 'volumesnapshots',
    mode: 'precheck',
    why: 'try the admission of the snapshot by a dry run; take it',
  },
  {
    verb: 'create',
    resource: 'configmaps',
    mode: 'precheck',
    why: "try the admission of the upgrade Job's script by a dry run; write it, and the journal",
  },
  {
    verb: 'create',
    resource: 'persistentvolumeclaims',
    mode: 'precheck',
    why: 'try the admission of a copy of the volume by a dry run; make it, to prove the backup and to restore it',
  },
  { verb: 'patch', resource: 'configmaps', mode: 'upgrade', why: 'write the journal' },
  { verb: 'delete', resource: 'configmaps', mode: 'upgrade', why: 'remove the script of the upgrade Job' },
  { verb: 'get', resource: 'jobs', mode: 'upgrade', why: 'follow the upgrade Job' },
  { verb: 'patch', resource: 'jobs', mode: 'upgrade', why: 'claim the Job of a run that died' },
  { verb: 'delete', resource: 'jobs', mode: 'upgrade', why: 'remove the ended upgrade Job' },
  { verb: 'list', resource: 'events', mode: 'upgrade', why: 'say why a pod does not start' },
  { verb: 'get', resource: 'volumesnapshots', mode: 'upgrade', why: 'wait for the snapshot' },
  { verb: 'delete', resource: 'volumesnapshots', mode: 'upgrade', why: 'remove the snapshot that proved the backup' },
  {
    verb: 'get',
    resource: 'volumesnapshotcontents',
    mode: 'upgrade',
    why: 'keep the backup in the storage (deletionPolicy)',
  },
  {
    verb: 'patch',
    resource: 'volumesnapshotcontents',
    mode: 'upgrade',
    why: 'keep the backup in the storage (deletionPolicy)',
  },
  {
    verb: 'delete',
    resource: 'persistentvolumeclaims',
    mode: 'upgrade',
    why: 'remove the copy; give the claim the restored volume',
  },
  {
    verb: 'patch',
    resource: 'persistentvolumeclaims',
    mode: 'upgrade',
    why: "take the run's label off a claim that was made anew",
  },
  {
    verb: 'patch',
    resource: 'persistentvolumes',
    mode: 'upgrade',
    why: 'keep the volume whatever happens to its claim (Retain); give the claim the restored volume',
  },
  { verb: 'list', resource: 'volumeattachments', mode: 'upgrade', why: 'wait for the volume to be detached' },
  { verb: 'create', resource: 'leases', mode: 'upgrade', why: 'keep other runs away' },
  { verb: 'patch', resource: 'leases', mode: 'upgrade', why: 'keep other runs away' },
  { verb: 'get', resource: 'deployments', mode: 'upgrade', why: 'watch the applications come back' },
  { verb: 'patch', resource: 'deployments', mode: 'upgrade', why: 'stop and start the applications' },
  {
    verb: 'patch',
    resource: 'statefulsets',
    mode: 'upgrade',
    why: 'stop and start PostgreSQL and the applications, set the image',
  },
  { verb: 'get', resource: 'cronjobs', mode: 'upgrade', why: "suspend the applications' CronJobs" },
  { verb: 'patch', resource: 'cronjobs', mode: 'upgrade', why: "suspend the applications' CronJobs" },
  {
    verb: 'list',
    resource: 'scaledobjects',
    mode: 'precheck',
    why: 'where KEDA is installed: find what scales the applications',
    ifServed: true,
  },
  {
    verb: 'get',
    resource: 'scaledobjects',
    mode: 'upgrade',
    why: 'where KEDA is installed: pause what scales the applications',
    ifServed: true,
  },
  {
    verb: 'patch',
    resource: 'scaledobjects',
    mode: 'upgrade',
    why: 'where KEDA is installed: pause what scales the applications',
    ifServed: true,
  },
  {
    verb: 'list',
    resource: 'applications',
    mode: 'precheck',
    why: 'where Argo CD has left its mark: see whether it is paused',
    ifServed: true,
    everywhere: true,
    informs: ['gitops'],
  },
  ...(['helmreleases', 'kustomizations'] as const).map((resource): Permission => ({
    verb: 'get',
    resource,
    mode: 'precheck',
    why: 'where Flux has left its mark: see whether it is suspended',
    ifServed: true,
    everywhere: true,
    informs: ['gitops'],
  })),
];

export type Mode = 'precheck' | 'upgrade';

/** What a mode needs. */
export function permissionsFor(mode: Mode): readonly Permission[] {
  return mode === 'upgrade' ? permissions : permissions.filter((p) => p.mode === 'precheck');
}

/** Asks the API server about each permission (SelfSubjectAccessReview); answers those it would refuse. */
export async function missingPermissions(cluster: Cluster, namespace: string, mode: Mode): Promise<Permission[]> {
  const answers = await Promise.all(
    permissionsFor(mode).map(async (permission) => {
      const { verb, resource, subresource, ifServed, everywhere } = permission;
      if (ifServed === true && !(await cluster.serves(resource))) return { permission, allowed: true };
      const { group, namespaced } = resources[resource];
      const review = await cluster.create('selfsubjectaccessreviews', {
        spec: {
          resourceAttributes: {
            verb,
            group,
            resource,
            ...(subresource === undefined ? {} : { subresource }),
            ...(namespaced && everywhere !== true
              ? { namespace }
              : resource === 'namespaces'
                ? { name: namespace, namespace }
                : {}),
          },
        },
      });
      return { permission, allowed: review.status?.allowed === true };
    }),
  );
  return answers.filter((a) => !a.allowed).map((a) => a.permission);
}

/** Those without which a run is refused. */
export function needed(missing: readonly Permission[]): Permission[] {
  return missing.filter(({ informs }) => informs === undefined);
}

/** The kubeconfig's user, as the API server knows it. Everybody may ask (SelfSubjectReview, Kubernetes 1.28 and later). */
export async function askUser(cluster: Cluster): Promise<string> {
  const review = await cluster.create('selfsubjectreviews', {});
  return review.status?.userInfo?.username ?? '';
}

/** `create pods/exec`, for people. */
export function permissionName({ verb, resource, subresource }: Permission): string {
  const { group } = resources[resource];
  return `${verb} ${resource}${group === '' ? '' : `.${group}`}${subresource === undefined ? '' : `/${subresource}`}`;
}
