import { accessChecks } from './checks/access.ts';
import { clientsChecks } from './checks/clients.ts';
import { clusterChecks } from './checks/cluster.ts';
import { extensionChecks } from './checks/extensions.ts';
import type { Check } from '../facts/check.ts';
import { hazardCheck } from './checks/hazards.ts';
import { hazardGroups } from '../hazards/table.ts';
import { imageChecks } from './checks/images.ts';
import { layoutChecks } from './checks/layout.ts';
import { libraryChecks } from './checks/libraries.ts';
import { localeChecks } from './checks/locale.ts';
import { majorsChecks } from './checks/majors.ts';
import { placementChecks } from './checks/placement.ts';
import { podChecks } from './checks/pod.ts';
import { restoreTestChecks } from './checks/restore-test.ts';
import { securityFaultChecks } from './checks/security-faults.ts';
import { serverReleaseChecks } from './checks/server-release.ts';
import { secretMaskingChecks } from './checks/secret-masking.ts';
import { serverChecks } from './checks/server.ts';
import { servingStartChecks } from './checks/serving-start.ts';
import { sortOrderChecks } from './checks/sort-order.ts';
import { spaceChecks } from './checks/space.ts';
import { storageClassChecks } from './checks/storage-class.ts';
import { deploymentToolChecks } from './checks/deployment-tools.ts';
import { transferChecks } from './checks/transfer.ts';
import { valuesChecks } from './checks/values.ts';

/** Checks of one subject. */
interface CheckGroup {
  /** For the index of docs/checks.md. */
  readonly title: string;
  readonly checks: readonly Check[];
}

/** In the order in which people read them. */
export const checkGroups: readonly CheckGroup[] = [
  { title: 'Access and secrets', checks: [...accessChecks, ...secretMaskingChecks] },
  {
    title: 'Pod, volume and data directory',
    checks: [...layoutChecks, ...podChecks, ...spaceChecks, ...transferChecks, ...majorsChecks],
  },
  { title: 'Server and locale', checks: [...serverChecks, ...localeChecks] },
  ...hazardGroups.map(({ title, hazards }) => ({ title, checks: hazards.map(hazardCheck) })),
  { title: 'Restore of roles and schemas', checks: restoreTestChecks },
  {
    title: 'Both images',
    checks: [
      ...imageChecks,
      ...securityFaultChecks,
      ...servingStartChecks,
      ...sortOrderChecks,
      ...extensionChecks,
      ...libraryChecks,
    ],
  },
  { title: 'Cluster and storage', checks: [...clusterChecks, ...storageClassChecks, ...placementChecks] },
  { title: 'Clients, GitOps and Helm', checks: [...clientsChecks, ...deploymentToolChecks, ...serverReleaseChecks] },
  { title: 'Pull request for the values file', checks: valuesChecks },
];

/** Every check. `precheck` and `upgrade` run the same ones. */
export const catalogue: readonly Check[] = checkGroups.flatMap(({ checks }) => checks);
