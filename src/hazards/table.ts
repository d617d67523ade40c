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

/** Hazards of one subject. */
interface HazardGroup {
  /** For the index of docs/checks.md. */
  readonly title: string;
  readonly hazards: readonly Hazard[];
}

export const hazardGroups: readonly HazardGroup[] = [
  { title: 'Names of databases, roles and types', hazards: nameHazards },
  { title: 'Columns and inheritance', hazards: columnHazards },
  { title: 'Functions, operators and aggregates', hazards: functionHazards },
  { title: 'Code that a restore or maintenance runs', hazards: codeHazards },
  { title: 'System objects that PostgreSQL 14 lacks or changes', hazards: removedHazards },
  { title: 'Parameters and pg_hba.conf', hazards: settingHazards },
  { title: 'Privileges, owners and labels', hazards: privilegeHazards },
  { title: 'Collations and text search', hazards: textHazards },
  { title: 'Files and tablespaces', hazards: fileHazards },
  { title: 'Replication, archiving and transactions', hazards: replicationHazards },
  { title: 'Wraparound, indexes and sizes', hazards: operationHazards },
];

/** Every hazard that a running server can show. To add one is to add a row to its subject's table, and its fixture in test/hazards/. */
export const hazards: readonly Hazard[] = hazardGroups.flatMap((group) => group.hazards);
