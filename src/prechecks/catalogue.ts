import { accessChecks } from './checks/access.ts';
import { clientsChecks } from './checks/clients.ts';
import { clusterChecks } from './checks/cluster.ts';
import { extensionChecks } from './checks/extensions.ts';
import type { Check } from '../facts/check.ts';
import { hazardCheck } from './checks/hazards.ts';
import { hazards } from '../hazards/table.ts';
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
import { surroundingsChecks } from './checks/surroundings.ts';
import { transferChecks } from './checks/transfer.ts';
import { valuesChecks } from './checks/values.ts';

/** Every check, in the order in which people read them. `precheck` and `upgrade` run the same ones. */
export const catalogue: readonly Check[] = [
  ...accessChecks,
  ...secretMaskingChecks,
  ...layoutChecks,
  ...podChecks,
  ...spaceChecks,
  ...transferChecks,
  ...majorsChecks,
  ...serverChecks,
  ...localeChecks,
  ...hazards.map(hazardCheck),
  ...restoreTestChecks,
  ...imageChecks,
  ...securityFaultChecks,
  ...servingStartChecks,
  ...sortOrderChecks,
  ...extensionChecks,
  ...libraryChecks,
  ...clusterChecks,
  ...storageClassChecks,
  ...placementChecks,
  ...clientsChecks,
  ...surroundingsChecks,
  ...serverReleaseChecks,
  ...valuesChecks,
];
