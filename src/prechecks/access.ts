import { permissionName } from '../target/permissions.ts';
import { failed, given, passed, warning, type Check } from './finding.ts';

export const accessChecks: readonly Check[] = [
  {
    id: 'cluster-access',
    title: 'The Kubernetes API answers',
    subject: 'access',
    why: 'Everything goes through it. The page asks for kubectl access to the cluster.',
    run: ({ access, target }) => {
      const evidence = [`Kubernetes ${access.version} at ${access.address}`, `namespace ${target.namespace}`];
      const [major = 0, minor = 0] = access.version.replace(/^v/, '').split('.').map(Number);
      const hasGates = major > 1 || (major === 1 && minor >= 27);
      return hasGates
        ? passed(...evidence)
        : failed(
            'Use Kubernetes 1.27 or later: the upgrade keeps PostgreSQL from being started by a scheduling gate.',
            ...evidence,
          );
    },
  },
  {
    id: 'permissions',
    title: 'The kubeconfig may do what an upgrade needs',
    subject: 'access',
    why: 'A right that is missing in the middle of an upgrade costs downtime. Each one is asked for by a SelfSubjectAccessReview.',
    run: ({ missingPermissions, inputs }) =>
      given(missingPermissions, (missing) => {
        const lines = missing.map((p) => `missing: ${permissionName(p)} (${p.why})`);
        if (lines.length === 0) return passed('every permission that an upgrade needs is granted');
        const remedy = 'Grant them: docs/permissions.md has the manifests for each mode.';
        const isEnough = inputs.mode === 'precheck' && missing.every((p) => p.mode === 'upgrade');
        return isEnough ? warning(`Before the upgrade: ${remedy}`, ...lines) : failed(remedy, ...lines);
      }),
  },
];
