import type { Journal } from '../../journal/journal.ts';
import type { Results } from '../contract/step.ts';

/** What the report needs of the runs before this one, as the journal names it. */
export function notedResults({
  record,
  noted,
}: Journal): Pick<Results, 'backup' | 'backupProof' | 'served' | 'restored'> {
  const { kind } = record.backup;
  const { backup, exchange, rehearsal, served } = noted;
  return {
    ...(kind === 'external' || !backup ? {} : { backup: { kind, name: backup } }),
    ...(rehearsal === undefined ? {} : { backupProof: { by: 'rehearsal', ...rehearsal } }),
    ...(served === undefined ? {} : { served: { kind: 'VolumeSnapshot', name: served } }),
    ...(exchange === undefined
      ? {}
      : { served: { kind: 'PersistentVolume', name: exchange.former }, restored: exchange.volume }),
  };
}
