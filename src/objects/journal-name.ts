import { upgrade } from '../common/versions.ts';

/** Name of the ConfigMap that keeps the journal. */
export const journalName = `postgresql-upgrade-${String(upgrade.from)}-to-${String(upgrade.to)}-journal`;
