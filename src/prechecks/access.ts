import type { Inputs } from '../inputs.ts';
import { needed, permissionName, permissionsFor } from '../target/permissions.ts';
import { manifests, modeManifests, subjectOf } from '../target/permission-manifests.ts';
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
        // The checks that are unknown for it say so themselves.
        const isLooking = inputs.mode === 'precheck' || inputs.dryRun;
        if (!isLooking || wanted.some((p) => p.mode === 'precheck'))
          return failed(grant('Grant', inputs.mode, target.namespace, user), ...lines);
        const remedy =
          inputs.mode === 'precheck'
            ? anotherAccount(target.namespace, user)
            : grant('Before the upgrade, grant', inputs.mode, target.namespace, user);
        return warning(remedy, ...lines);
      }),
  },
];

function apply(manifest: readonly string[]): string {
  return `${inShell}\nkubectl apply -f - <<'EOF'\n${manifest.join('\n')}\nEOF`;
}

/**
 * The command that grants the kubeconfig's user all that its mode needs, what it has already too: a Role is replaced as a whole, and what an
 * earlier one of this name granted must not go.
 */
function grant(opening: string, runs: Inputs['mode'], namespace: string, user: Known<string>): string {
  const mode = runs === 'precheck' ? 'precheck' : 'upgrade';
  const isNamed = user.known && user.value !== '';
  const who = isNamed ? user.value : 'USER';
  const whose = isNamed ? '' : ", with the kubeconfig's user in the place of USER";
  const all = needed(permissionsFor(mode));
  const manifest = manifests(all, `postgresql-${mode}-missing`, namespace, subjectOf(who));
  return `${opening} ${who} all that mode ${mode} needs, as somebody who may${whose}.\n${apply(manifest)}`;
}

/** A precheck's account changes nothing: an upgrade's rights are for another one, the documentation's. */
function anotherAccount(namespace: string, user: Known<string>): string {
  const precheck = user.known && user.value !== '' ? ` (${user.value})` : '';
  return (
    `Before the upgrade, make an account for it, as somebody who may. Its rights are not for this precheck's${precheck}: they go to the service account postgresql-upgrade, ` +
    'besides those of the Role and the ClusterRole for a precheck in docs/permissions.md, which have to be there. ' +
    `If another account is to upgrade, mode upgrade with dry-run tells what that one lacks.\n${apply(modeManifests('upgrade', namespace))}`
  );
}
