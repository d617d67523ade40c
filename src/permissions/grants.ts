import type { ServerNames } from '../target/server-names.ts';
import { shellRemedy, type Remedy } from '../text/remedy.ts';
import { hereDocument } from '../text/shell.ts';
import { grantingManifests, modeManifests, subjectOf } from './permission-manifests.ts';
import { accountName, needed, type Mode, type Permission } from './permissions.ts';

/**
 * The command that grants the kubeconfig's user what it lacks of what its mode needs, by the roles of docs/permissions.md.
 * @param username '' where it is not known
 */
export function grantRemedy(mode: Mode, missing: readonly Permission[], names: ServerNames, username: string): Remedy {
  const who = username === '' ? 'USER' : username;
  const whose = username === '' ? ", with the name of the kubeconfig's user in place of USER" : '';
  const wanted = needed(missing);
  const isOptionalMissing = missing.some(
    (permission) => permission.mode === 'precheck' && !wanted.includes(permission),
  );
  const optional = isOptionalMissing
    ? ` The optional rights that are not granted are in the role ${accountName('precheck')}-optional of docs/permissions.md.`
    : '';
  return applying(
    `Grant ${who} every right that mode ${mode} needs. Run the command as a user who may grant rights${whose}. The roles are those of docs/permissions.md, each as a whole: where they exist, the command replaces them.${optional}`,
    grantingManifests(mode, wanted, names, subjectOf(who)),
  );
}

/**
 * An account that only checks changes nothing, so the rights of an upgrade go to another one: the account of docs/permissions.md.
 * @param username of the account that only checks; '' where it is not known
 */
export function upgradeAccountRemedy(names: ServerNames, username: string): Remedy {
  const account = username === '' ? 'the account of this run' : `the account of this run (${username})`;
  return applying(
    `Before the upgrade, create a service account for it. Run the command as a user who may grant rights. The rights go to the service account ${accountName('upgrade')}. Give ${account} no more rights. ` +
      'The new account also needs the Role and the ClusterRole for a precheck in docs/permissions.md, which must exist already. ' +
      'To see which rights it lacks, run mode upgrade with dry-run as that account.',
    modeManifests('upgrade', names),
  );
}

function applying(text: string, manifest: readonly string[]): Remedy {
  return shellRemedy(text, hereDocument('kubectl apply -f -', manifest));
}
