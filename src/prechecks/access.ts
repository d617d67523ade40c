import { needed, permissionName, type Permission } from '../target/permissions.ts';
import { manifests, subjectOf } from '../target/permission-manifests.ts';
import { failed, given, inShell, passed, warning, type Check, type Known } from './finding.ts';

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
    run: ({ missingPermissions, inputs, target, user }) =>
      given(missingPermissions, (missing) => {
        const lines = missing.map((p) =>
          p.informs === undefined
            ? `missing: ${permissionName(p)} (${p.why})`
            : `not granted: ${permissionName(p)} (${p.why}); without it ${p.informs.join(', ')} may be ${p.without ?? 'unknown'}`,
        );
        const wanted = needed(missing);
        if (wanted.length === 0) return passed('every permission that an upgrade needs is granted', ...lines);
        const remedy = grant(wanted, target.namespace, user);
        // The checks that are unknown for it say so themselves.
        const isLooking = inputs.mode === 'precheck' || inputs.dryRun;
        return isLooking && wanted.every((p) => p.mode === 'upgrade')
          ? warning(`Before the upgrade, ${remedy}`, ...lines)
          : failed(`${remedy.charAt(0).toUpperCase()}${remedy.slice(1)}`, ...lines);
      }),
  },
];

/** The command that grants them to the kubeconfig's user. */
function grant(missing: readonly Permission[], namespace: string, user: Known<string>): string {
  const name = 'postgresql-upgrade-missing';
  const isNamed = user.known && user.value !== '';
  const subject = subjectOf(isNamed ? user.value : 'USER');
  const whose = isNamed ? '' : ", with the kubeconfig's user in the place of USER";
  const yaml = manifests(missing, name, namespace, subject).join('\n');
  return `grant what is missing, as somebody who may${whose}.\n${inShell}\nkubectl apply -f - <<'EOF'\n${yaml}\nEOF`;
}
