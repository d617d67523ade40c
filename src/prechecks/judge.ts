import type { Log } from '../ports/runner.ts';
import { changeLeaves } from '../redaction/leaves.ts';
import { catalogue } from './catalogue.ts';
import type { Facts } from '../facts/facts.ts';
import { weight, type Answer, type Finding, type Status } from '../findings/finding.ts';
import type { FactName, FactSeconds } from './facts/stopwatch.ts';
import { withCauses } from './causes.ts';
import { remedyWithin } from '../text/remedy.ts';
import { shortened } from '../text/shortened.ts';
import { oneLine } from '../text/visible.ts';

/** The findings, and what was measured beside them. */
export interface Judged {
  readonly findings: Finding[];
  /** By check: seconds that the slowest reading of what it looked at took. Readings go on side by side: these don't add up. */
  readonly seconds: Readonly<Record<string, number>>;
}

/**
 * Answers every check that applies.
 * Decision: docs/decisions/0018-checks.md
 * @param read how long the reading of each fact took
 * @param docs address of the page that explains the checks
 */
export function judge(facts: Facts, read: FactSeconds, docs: string, log: Pick<Log, 'redact' | 'info'>): Judged {
  const ignored = facts.inputs.ignoreChecks;
  const findings: Finding[] = [];
  const seconds: Record<string, number> = {};
  const lookedAt: Record<string, ReadonlySet<FactName>> = {};
  const redact = (text: string) => log.redact(text);
  for (const check of catalogue.filter((c) => c.applies?.(facts) ?? true)) {
    const { watched, looked } = watch(facts);
    const answer = bounded(changeLeaves(check.run(watched), redact));
    const took = Math.round(Math.max(0, ...[...looked].map((fact) => read[fact] ?? 0)) * 10) / 10;
    seconds[check.id] = took;
    lookedAt[check.id] = looked;
    const reason = answer.status === 'passed' ? undefined : (ignored.get(check.id) ?? answer.ignored);
    const finding: Finding = {
      check: check.id,
      title: check.title,
      docs: `${docs}#${check.id}`,
      ...answer,
      ...(reason === undefined ? {} : { ignored: reason }),
    };
    findings.push(finding);
  }
  for (const id of ignored.keys())
    if (!findings.some((f) => f.check === id && f.ignored === ignored.get(id)))
      log.info(`ignore-checks names ${id}, which has nothing to be ignored any more`);
  return { findings: withCauses(findings, facts, lookedAt, redact), seconds };
}

/** The same facts, which note the names of those that were looked at. */
function watch(facts: Facts): { watched: Facts; looked: ReadonlySet<FactName> } {
  const looked = new Set<FactName>();
  const watched = new Proxy(facts, {
    get(all, name, receiver) {
      if (name in all) looked.add(name as FactName);
      return Reflect.get(all, name, receiver) as unknown;
    },
  });
  return { watched, looked };
}

const longestLine = 2000;
/** Characters of all lines of a finding. */
const mostEvidence = 100_000;
const longestRemedy = 20_000;

/** As much of an answer as people read and GitHub shows; what is left out is said. */
function bounded({ status, evidence, remedy, place, ignored }: Answer): Answer {
  const lines: string[] = [];
  let room = mostEvidence;
  for (const line of evidence.map((text) => shortened(oneLine(text), longestLine))) {
    room -= line.length;
    if (room < 0) break;
    lines.push(line);
  }
  const left = evidence.length - lines.length;
  return {
    status,
    evidence: left > 0 ? [...lines, `… and ${String(left)} more lines`] : lines,
    ...(remedy === undefined ? {} : { remedy: remedyWithin(remedy, longestRemedy) }),
    ...(place === undefined ? {} : { place }),
    ...(ignored === undefined ? {} : { ignored }),
  };
}

/** The worst status of all; one that is ignored counts less. */
export function verdictOf(findings: readonly (Finding | Answer)[]): Status {
  const order: readonly Status[] = ['failed', 'unknown', 'warning'];
  return order.find((status) => findings.some((f) => weight(f) === status)) ?? 'passed';
}
