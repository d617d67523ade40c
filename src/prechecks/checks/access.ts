import type { Inputs } from '../../inputs/inputs.ts';
import { needed, permissionName, permissionsFor, type MissingPermission } from '../../permissions/permissions.ts';
import { serverNames, type ServerNames } from '../../target/server-names.ts';
import { hereDocument } from '../../text/shell.ts';
import { manifests, modeManifests, subjectOf } from '../../permissions/permission-manifests.ts';
import { failed, judgeFact, passed, shellRemedy, warning, type Remedy } from '../../findings/finding.ts';
import type { Known } from '../../common/known.ts';
import type { Check } from '../../facts/check.ts';

export const accessChecks: readonly Check[] = [
  {
    id: 'cluster-access',
    title: 'Access to the Kubernetes API',
    expected: 'The Kubernetes API answers',
    subject: 'access',
    why: 'Everything goes through it. The page asks for kubectl access to the cluster. An address without TLS is refused; TLS that is not verified, or a password for a proxy in clear text, is a warning.',
    run: ({ access, target }) => {
      const evidence = [`Kubernetes ${access.version} at ${access.address}`, `namespace ${target.namespace}`];
      const [major = 0, minor = 0] = access.version.replace(/^v/, '').split('.').map(Number);
      const hasGates = major > 1 || (major === 1 && minor >= 27);
      if (!hasGates)
        return failed(
          'Use Kubernetes 1.27 or later: the upgrade keeps PostgreSQL from being started by a scheduling gate.',
          ...evidence,
        );
      return access.weaknesses.length === 0
        ? passed(...evidence)
        : warning(
            "Have TLS verified all the way: give the kubeconfig the certificate that signs the API server's (certificate-authority-data) and take out what is named here.",
            ...access.weaknesses,
            ...evidence,
          );
    },
  },
  {
    id: 'permissions',
    title: "Permissions of the kubeconfig's user",
    expected: 'The kubeconfig may do what an upgrade needs',
    subject: 'access',
    why: 'A right that is missing in the middle of an upgrade costs downtime. Each one is asked for by a SelfSubjectAccessReview.',
    run: ({ missingPermissions, inputs, target, user }) =>
      judgeFact(missingPermissions, (missing) => {
        const lines = missing.map(lineOf);
        const names = serverNames(target);
        const wanted = needed(missing);
        if (wanted.length === 0) return passed('every permission that an upgrade needs is granted', ...lines);
        // The checks that are unknown for it say so themselves.
        const isLooking = inputs.mode === 'precheck' || inputs.dryRun;
        if (!isLooking || wanted.some((p) => p.mode === 'precheck'))
          return failed(grant('Grant', inputs.mode, names, user), ...lines);
        const remedy =
          inputs.mode === 'precheck'
            ? anotherAccount(names, user)
            : grant('Before the upgrade, grant', inputs.mode, names, user);
        return warning(remedy, ...lines);
      }),
  },
];

function lineOf(missing: MissingPermission): string {
  const { informs, lacks, why, without = 'unknown', else: other } = missing;
  const name = `${permissionName(missing)}${lacks === undefined ? '' : ` ${lacks.join(', ')}`}`;
  if (informs === undefined) return `missing: ${name} (${why})`;
  const told = informs.length === 0 ? [] : [`${informs.join(', ')} may be ${without}`];
  return `not granted: ${name} (${why}); without it ${[...told, ...(other === undefined ? [] : [other])].join('; ')}`;
}

function applying(text: string, manifest: readonly string[]): Remedy {
  return shellRemedy(text, hereDocument('kubectl apply -f -', manifest));
}

/**
 * The command that grants the kubeconfig's user all that its mode needs, what it has already too: a Role is replaced as a whole, and what an
 * earlier one of this name granted must not go.
 */
function grant(opening: string, runs: Inputs['mode'], names: ServerNames, user: Known<string>): Remedy {
  const mode = runs === 'precheck' ? 'precheck' : 'upgrade';
  const isNamed = user.known && user.value !== '';
  const who = isNamed ? user.value : 'USER';
  const whose = isNamed ? '' : ", with the kubeconfig's user in the place of USER";
  const all = permissionsFor(mode).filter(({ isExtra }) => isExtra !== true);
  const manifest = manifests(all, `postgresql-${mode}-missing`, names, subjectOf(who));
  return applying(`${opening} ${who} all that mode ${mode} needs, as somebody who may${whose}.`, manifest);
}

/** A precheck's account changes nothing: an upgrade's rights are for another one, the documentation's. */
function anotherAccount(names: ServerNames, user: Known<string>): Remedy {
  const precheck = user.known && user.value !== '' ? ` (${user.value})` : '';
  return applying(
    `Before the upgrade, make an account for it, as somebody who may. Its rights are not for this precheck's${precheck}: they go to the service account postgresql-upgrade, ` +
      'besides those of the Role and the ClusterRole for a precheck in docs/permissions.md, which have to be there. ' +
      `If another account is to upgrade, mode upgrade with dry-run tells what that one lacks.`,
    modeManifests('upgrade', names),
  );
}
