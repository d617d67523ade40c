import type { PullRequestSettings, UpgradeRecord } from './settings.ts';
import type { ChangedLine } from './changed-lines.ts';
import { block, code, cut, link, text } from '../text/markdown.ts';
import { oneLine } from '../text/visible.ts';

export function titleOf({ tag, namespace }: Pick<PullRequestSettings, 'tag' | 'namespace'>): string {
  return `Set PostgreSQL of CircleCI Server to ${tag}${namespace === '' ? '' : ` (${namespace})`}`;
}

const mostLines = 40;
const longestLine = 500;

/** What the pull request changes: the same for every run with the same inputs. */
export function describeChange({ path, image, namespace }: PullRequestSettings, lines: readonly ChangedLine[]): string {
  return [
    `The database of CircleCI Server${namespace === '' ? '' : ` in namespace ${code(namespace)}`} moves from PostgreSQL 12 to PostgreSQL 14. This pull request sets the image of PostgreSQL 14, ${code(image)}, in ${code(path)}.`,
    '',
    '**Merge this before the next deployment**: `helm upgrade` with the old values would start PostgreSQL 12 on the data directory of PostgreSQL 14. PostgreSQL 12 refuses to start there.',
    '',
    ...block('diff', [
      ...lines.slice(0, mostLines).map((one) => `${one.sign}${cut(oneLine(one.text), longestLine)}`),
      ...(lines.length > mostLines ? [` … ${String(lines.length - mostLines)} more lines`] : []),
    ]),
  ].join('\n');
}

/** What a run did and measured. */
export function describeRun({ runUrl, upgrade }: PullRequestSettings): string {
  const run = runUrl.startsWith('http') ? link('this workflow run', runUrl) : text(runUrl);
  if (upgrade === undefined) return `Opened by ${run}, which upgraded no server itself.`;
  return [
    `PostgreSQL ${code(upgrade.before)} → ${code(upgrade.after)} by ${run}${upgrade.downtimeSeconds === undefined ? '' : `; downtime of the applications **${String(upgrade.downtimeSeconds)} s**`}.`,
    ...phaseTable(upgrade),
    '',
    '**How to roll back.** ' +
      (upgrade.backup === undefined
        ? 'The cluster has no backup from before the upgrade: only a backup of your own restores PostgreSQL 12.'
        : `${code(upgrade.backup)} holds the data as it was when PostgreSQL 12 was stopped. Run the action with \`mode: rollback\`. It reports what was written since and would be lost. With your consent it restores PostgreSQL 12. Then close this pull request, or revert it.`),
  ].join('\n');
}

function phaseTable({ phases }: UpgradeRecord): string[] {
  if (phases.length === 0) return [];
  return [
    '',
    '| phase | seconds |',
    '| --- | ---: |',
    ...phases.slice(0, 40).map((phase) => `| ${text(phase.title)} | ${phase.seconds.toFixed(1)} |`),
  ];
}
