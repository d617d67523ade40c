import {
  canOnlyCheck,
  isUpgradeAccount,
  needed,
  permissionName,
  type MissingPermission,
} from '../../permissions/permissions.ts';
import { grantRemedy, upgradeAccountRemedy } from '../../permissions/grants.ts';
import { serverNames } from '../../target/server-names.ts';
import { failed, judgeFact, passed, warning } from '../../findings/finding.ts';
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
    expected: "The kubeconfig's user has every right that an upgrade needs, or can only check",
    subject: 'access',
    why: 'A right that is missing in the middle of an upgrade costs downtime. The check asks the API server for each right (SelfSubjectAccessReview).',
    advice:
      'Run the command that the check prints, as a user who may grant rights. It applies the roles of the documentation that have a missing right, each as a whole. An account with none of the rights by which an upgrade changes something can only check. It passes in a precheck and in a dry run. The upgrade then needs an account of its own, and a dry run prints its manifests. [Permissions](permissions.md) explains each right.',
    run: ({ missingPermissions, inputs, target, user }) =>
      judgeFact(missingPermissions, (missing) => {
        const names = serverNames(target);
        const username = user.known ? user.value : '';
        const isLooking = inputs.mode === 'precheck' || inputs.dryRun;
        const isOnlyChecking = canOnlyCheck(missing, names, username);
        const relevant = isOnlyChecking && isLooking ? missing.filter(isPrechecks) : missing;
        const lines = relevant.map(lineOf);
        const wanted = needed(relevant);
        if (isOnlyChecking && !isLooking) return failed(upgradeAccountRemedy(names, username), canOnly, ...lines);
        if (isOnlyChecking && wanted.length === 0) return passed(asIntended, ...lines);
        if (wanted.length === 0) return passed('every permission that an upgrade needs is granted', ...lines);
        // The checks that are unknown for it say so themselves.
        if (isOnlyChecking)
          return failed(grantRemedy('precheck', relevant.filter(isPrechecks), names, username), ...lines);
        if (inputs.mode !== 'precheck') return failed(grantRemedy('upgrade', missing, names, username), ...lines);
        if (wanted.some(isPrechecks))
          return failed(grantRemedy('precheck', relevant.filter(isPrechecks), names, username), ...lines);
        const remedy = isUpgradeAccount(names, username) ? grantRemedy('upgrade', missing, names, username) : undefined;
        return warning(remedy ?? upgradeAccountRemedy(names, username), ...lines);
      }),
  },
];

const canOnly = 'this account can only check: it has none of the rights by which an upgrade changes something';
const asIntended =
  'this account can only check, as intended. The upgrade needs an account of its own, whose manifests a dry run prints. A dry run with its kubeconfig says what it lacks (docs/permissions.md)';

function isPrechecks({ mode }: MissingPermission): boolean {
  return mode === 'precheck';
}

function lineOf(missing: MissingPermission): string {
  const { informs, lacks, why, without = 'unknown', else: other } = missing;
  const name = `${permissionName(missing)}${lacks === undefined ? '' : ` ${lacks.join(', ')}`}`;
  if (informs === undefined) return `missing: ${name} (${why})`;
  const affected = informs.length === 0 ? [] : [`${informs.join(', ')} may be ${without}`];
  return `not granted: ${name} (${why}); without it ${[...affected, ...(other === undefined ? [] : [other])].join('; ')}`;
}
