import { sentence } from '../errors.ts';
import type { Log } from '../ports/runner.ts';
import { catalogue } from './catalogue.ts';
import type { Facts } from './facts.ts';
import { blocks, type Finding, type Status } from './finding.ts';

const icons: Readonly<Record<Status, string>> = { passed: '✓', warning: '!', failed: '✗', unknown: '?' };

/** Answers every check that applies: one log group each, and an annotation where something is to be done. */
export async function judge(facts: Facts, log: Log): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const check of catalogue.filter((c) => c.applies?.(facts) ?? true)) {
    const finding: Finding = { check: check.id, docs: `docs/checks.md#${check.id}`, ...check.run(facts) };
    findings.push(finding);
    await log.group(`${icons[finding.status]} ${check.title} (${check.id}: ${finding.status})`, () => {
      finding.evidence.forEach((line) => {
        log.info(line);
      });
      if (finding.remedy !== undefined) log.info(`What to do: ${finding.remedy}`);
      return Promise.resolve();
    });
    if (finding.status !== 'passed') {
      log.annotate(
        blocks(finding) ? 'error' : 'warning',
        `${check.id}: ${finding.status}`,
        `${check.title}: ${sentence(finding.evidence.slice(0, 3).join('; '))} ${finding.remedy ?? ''}`,
      );
    }
  }
  return findings;
}

/** The worst status of all. */
export function verdictOf(findings: readonly Finding[]): Status {
  const order: readonly Status[] = ['failed', 'unknown', 'warning'];
  return order.find((status) => findings.some((f) => f.status === status)) ?? 'passed';
}

export { icons as statusIcons };
