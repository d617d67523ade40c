import { accessChecks } from './access.ts';
import { clientsChecks } from './clients.ts';
import { clusterChecks } from './cluster.ts';
import { extensionChecks } from './extensions.ts';
import type { Check } from './finding.ts';
import { hazardCheck } from './hazards/check.ts';
import { hazards } from './hazards/table.ts';
import { imageChecks } from './images.ts';
import { layoutChecks } from './layout.ts';
import { libraryChecks } from './libraries.ts';
import { localeChecks } from './locale.ts';
import { majorsChecks } from './majors.ts';
import { placementChecks } from './placement.ts';
import { podChecks } from './pod.ts';
import { replayChecks } from './replay.ts';
import { securityFaultChecks } from './security-faults.ts';
import { serverReleaseChecks } from './server-release.ts';
import { secretMaskingChecks } from './secret-masking.ts';
import { serverChecks } from './server.ts';
import { servingStartChecks } from './serving-start.ts';
import { sortOrderChecks } from './sort-order.ts';
import { spaceChecks } from './space.ts';
import { storageClassChecks } from './storage-class.ts';
import { surroundingsChecks } from './surroundings.ts';
import { transferChecks } from './transfer.ts';
import { valuesChecks } from './values.ts';

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
  ...replayChecks,
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
