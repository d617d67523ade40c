import type { Inputs } from '../../inputs/inputs.ts';
import { needed, permissionName, permissionsFor, type MissingPermission } from '../../permissions/permissions.ts';
import { serverNames, type ServerNames } from '../../target/server-names.ts';
import { hereDocument } from '../../text/shell.ts';
import { manifests, modeManifests, subjectOf } from '../../permissions/permission-manifests.ts';
import { failed, judgeFact, passed, shellRemedy, warning, type Remedy } from '../../findings/finding.ts';
import type { Known } from '../../common/known.ts';
import type { Check } from '../../facts/check.ts';

const newerKubernetes =
  'Upgrade Kubernetes to 1.27 or later. The action keeps everybody else from starting PostgreSQL by a scheduling gate, which needs that version.';
const verifiedTls =
  "Have TLS verified all the way. Give the kubeconfig the certificate that signs the API server's certificate (certificate-authority-data), and remove the settings that the finding names.";

export const accessChecks: readonly Check[] = [
  {
    id: 'cluster-access',
    title: 'Access to the Kubernetes API',
    expected: 'The Kubernetes API answers',
    subject: 'access',
    why: "The action reads and changes everything through the Kubernetes API. The vendor's upgrade page asks for kubectl access too. The action refuses an address without TLS. It warns where TLS is not verified, and where the password of a proxy travels in clear text.",
    advice: `${newerKubernetes} ${verifiedTls}`,
    run: ({ access, target }) => {
      const evidence = [`Kubernetes ${access.version} at ${access.address}`, `namespace ${target.namespace}`];
      const [major = 0, minor = 0] = access.version.replace(/^v/, '').split('.').map(Number);
      const hasGates = major > 1 || (major === 1 && minor >= 27);
      if (!hasGates) return failed(newerKubernetes, ...evidence);
      return access.weaknesses.length === 0
        ? passed(...evidence)
        : warning(verifiedTls, ...access.weaknesses, ...evidence);
    },
  },
  {
    id: 'permissions',
    title: "Permissions of the kubeconfig's user",
    expected: "The kubeconfig's user has every right that an upgrade needs",
    subject: 'access',
    why: 'A right that is missing in the middle of an upgrade costs downtime. The check asks the API server for each right (SelfSubjectAccessReview).',
    advice:
      'Run the command that the check prints, as a user who may grant rights. It grants the account every right that its mode needs. Where only an upgrade lacks rights, a precheck prints the manifests of an account for the upgrade. [Permissions](permissions.md) explains each right.',
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
  const affected = informs.length === 0 ? [] : [`${informs.join(', ')} may be ${without}`];
  return `not granted: ${name} (${why}); without it ${[...affected, ...(other === undefined ? [] : [other])].join('; ')}`;
}

function applying(text: string, manifest: readonly string[]): Remedy {
  return shellRemedy(text, hereDocument('kubectl apply -f -', manifest));
}

/**
 * The command that grants the kubeconfig's user every right that its mode needs, also those that it has already: applying a Role replaces it, and
 * would otherwise revoke what an earlier Role of this name granted.
 */
function grant(opening: string, runs: Inputs['mode'], names: ServerNames, user: Known<string>): Remedy {
  const mode = runs === 'precheck' ? 'precheck' : 'upgrade';
  const isNamed = user.known && user.value !== '';
  const who = isNamed ? user.value : 'USER';
  const whose = isNamed ? '' : ", with the name of the kubeconfig's user in place of USER";
  const all = permissionsFor(mode).filter(({ isExtra }) => isExtra !== true);
  const manifest = manifests(all, `postgresql-${mode}-missing`, names, subjectOf(who));
  return applying(
    `${opening} ${who} every right that mode ${mode} needs. Run the command as a user who may grant rights${whose}.`,
    manifest,
  );
}

/** A precheck's account changes nothing, so the rights of an upgrade go to another one: the account of docs/permissions.md. */
function anotherAccount(names: ServerNames, user: Known<string>): Remedy {
  const precheck = user.known && user.value !== '' ? ` (${user.value})` : '';
  return applying(
    `Before the upgrade, create a service account for it. Run the command as a user who may grant rights. The rights go to the service account postgresql-upgrade, not to the account of this precheck${precheck}. ` +
      'It also needs the Role and the ClusterRole for a precheck in docs/permissions.md, which must exist already. ' +
      `To see which rights another account lacks, run mode upgrade with dry-run as that account.`,
    modeManifests('upgrade', names),
  );
}
