import type { ServerNames } from '../target/server-names.ts';
import { shellRemedy, type Remedy } from '../text/remedy.ts';
import { hereDocument } from '../text/shell.ts';
import { manifests, modeManifests, subjectOf } from './permission-manifests.ts';
import { accountName, permissionsFor, type Mode } from './permissions.ts';

/**
 * The command that grants the kubeconfig's user every right that its mode needs, also those that it has already: applying a Role replaces it, and
 * would otherwise revoke what an earlier Role of this name granted.
 * @param username '' where it is not known
 */
export function grantRemedy(mode: Mode, names: ServerNames, username: string): Remedy {
  const who = username === '' ? 'USER' : username;
  const whose = username === '' ? ", with the name of the kubeconfig's user in place of USER" : '';
  const all = permissionsFor(mode).filter(({ isExtra }) => isExtra !== true);
  const manifest = manifests(all, `postgresql-${mode}-missing`, names, subjectOf(who));
  return applying(
    `Grant ${who} every right that mode ${mode} needs. Run the command as a user who may grant rights${whose}.`,
    manifest,
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
