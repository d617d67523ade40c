import { bytesText } from '../common/bytes.ts';
import { cell, code, prose } from '../text/markdown.ts';
import type { CleanupReport } from './report-shape.ts';

type Item = CleanupReport['items'][number];
type Gate = CleanupReport['gates'][number];

const marks: Readonly<Record<Gate['status'], string>> = { met: '✓', unmet: '✗', unknown: '?' };

/** A condition as people read it in the log. */
export function gateLine({ title, status, said }: Gate): string {
  return `${marks[status]} ${title}: ${said}`;
}

/** Something that a cleanup removes, as people read it in the log. */
export function itemLine({ kind, name, bytes, why }: Item): string {
  return `- ${kindText(kind)} ${name} (${sizeText(bytes)}): ${why}`;
}

/** Something that a cleanup leaves. */
export function leftLine({ kind, name, why }: CleanupReport['left'][number]): string {
  return `  left alone: ${kind} ${name}: ${why}`;
}

function kindText(kind: Item['kind']): string {
  return kind === 'ReclaimPolicy' ? 'Reclaim policy of PersistentVolume' : kind;
}

function sizeText(bytes: number | undefined): string {
  return bytes === undefined ? 'no size' : bytesText(bytes);
}

/** A snapshot of the volume holds what was removed from it since, unless the storage keeps snapshots elsewhere. */
function isKeptByBackup({ items, backup, freedBytes }: CleanupReport): boolean {
  const removed = items.filter(({ kind, isRemoved }) => kind === 'Directory' && isRemoved);
  const listed = removed.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
  return backup !== undefined && freedBytes !== undefined && freedBytes < listed / 2;
}

/** For the job summary: the list with its sizes, what was measured, and each condition. */
export function cleanupLines(cleanup: CleanupReport): string[] {
  const { gates, items, left, backup, freedBytes, areSizesUpperBounds } = cleanup;
  return [
    ...(freedBytes === undefined
      ? []
      : [`The server's volume has **${bytesText(freedBytes)}** more free, as measured.`, '']),
    ...(backup === undefined ? [] : [`Backup of PostgreSQL 14: ${code(backup)}. Its content is kept (Retain).`, '']),
    ...(items.length === 0
      ? ['There is nothing to remove.', '']
      : [
          '| | what | size | why |',
          '| --- | --- | --- | --- |',
          ...items.map(
            (item) =>
              `| ${item.isRemoved ? 'removed' : ''} | ${cell(code(`${kindText(item.kind)} ${item.name}`))} | ${sizeText(item.bytes)} | ${cell(prose(item.why))} |`,
          ),
          '',
        ]),
    ...(areSizesUpperBounds && items.length > 0
      ? [
          'Files that the upgrade cloned share their room with those of PostgreSQL 14. Removing them frees less than their size.',
          '',
        ]
      : []),
    ...(isKeptByBackup(cleanup)
      ? [
          'Less was freed than listed. Where snapshots share room with the volume, the backup of PostgreSQL 14 keeps what the old directory took.',
          '',
        ]
      : []),
    ...left.map((one) => `- left alone: ${code(`${one.kind} ${one.name}`)}: ${prose(one.why)}`),
    ...(left.length === 0 ? [] : ['']),
    ...gates.map((gate) => `- ${marks[gate.status]} ${prose(`${gate.title}: ${gate.said}`)}`),
    '',
  ];
}
