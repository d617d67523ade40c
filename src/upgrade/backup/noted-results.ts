import type { Journal } from '../../journal/journal.ts';
import type { Results } from '../contract/step.ts';

/** What the report needs of the runs before this one, as the journal names it. */
export function notedResults({ record, noted }: Journal): Pick<Results, 'backup' | 'served' | 'restored'> {
  const { kind } = record.backup;
  const { backup, exchange, served } = noted;
  return {
    ...(kind === 'external' || !backup ? {} : { backup: { kind, name: backup } }),
    ...(served === undefined ? {} : { served: { kind: 'VolumeSnapshot', name: served } }),
    ...(exchange === undefined
      ? {}
      : { served: { kind: 'PersistentVolume', name: exchange.former }, restored: exchange.volume }),
  };
}
