import { permissionName } from '../target/permissions.ts';
import { failed, given, passed, type Check } from './finding.ts';

export const accessChecks: readonly Check[] = [
  {
    id: 'cluster-access',
    title: 'The Kubernetes API answers',
    subject: 'access',
    why: 'Everything goes through it. The page asks for kubectl access to the cluster.',
    run: ({ access, target }) =>
      passed(`Kubernetes ${access.version} at ${access.address}`, `namespace ${target.namespace}`),
  },
  {
    id: 'permissions',
    title: 'The kubeconfig may do what this mode needs',
    subject: 'access',
    why: 'A right that is missing in the middle of an upgrade costs downtime. Each one is asked for by a SelfSubjectAccessReview.',
    run: ({ missingPermissions }) =>
      given(missingPermissions, (missing) =>
        missing.length === 0
          ? passed('every permission is granted')
          : failed(
              'Grant them; the README has the Role and the ClusterRole.',
              ...missing.map((p) => `missing: ${permissionName(p)} (${p.why})`),
            ),
      ),
  },
];
