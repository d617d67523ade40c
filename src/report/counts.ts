import type { Finding, Status } from '../findings/finding.ts';
import { marks } from './finding-view.ts';

const inOrder: readonly Status[] = ['passed', 'failed', 'unknown', 'warning'];

/** `98 ✓ passed, 1 ✗ failed, 2 ? unknown, 3 ! warning (1 ignored)` */
export function countsText(findings: readonly Finding[]): string {
  const counts = inOrder.flatMap((status) => {
    const count = findings.filter((finding) => finding.status === status).length;
    return count === 0 ? [] : [`${String(count)} ${marks[status]} ${status}`];
  });
  const ignored = findings.filter((finding) => finding.ignored !== undefined).length;
  return `${counts.join(', ')}${ignored === 0 ? '' : ` (${String(ignored)} ignored)`}`;
}
