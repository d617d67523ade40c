import { codeHazards } from './code.ts';
import { columnHazards } from './columns.ts';
import { fileHazards } from './files.ts';
import { functionHazards } from './functions.ts';
import type { Hazard } from './hazard.ts';
import { nameHazards } from './names.ts';
import { operationHazards } from './operations.ts';
import { privilegeHazards } from './privileges.ts';
import { removedHazards } from './removed.ts';
import { replicationHazards } from './replication.ts';
import { settingHazards } from './settings.ts';
import { textHazards } from './texts.ts';

/** Every hazard that a running server can show. To add one is to add a row to its subject's table, and its fixture in test/hazards/. */
export const hazards: readonly Hazard[] = [
  ...nameHazards,
  ...columnHazards,
  ...functionHazards,
  ...codeHazards,
  ...removedHazards,
  ...settingHazards,
  ...privilegeHazards,
  ...textHazards,
  ...fileHazards,
  ...replicationHazards,
  ...operationHazards,
];
