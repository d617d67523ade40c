import type { Log } from '../ports/runner.ts';
import { changeLeaves } from '../redaction/leaves.ts';
import { catalogue } from './catalogue.ts';
import type { Facts } from '../facts/facts.ts';
import { statusIcons, statusText, weight, type Answer, type Finding, type Status } from '../findings/finding.ts';
import type { FactName, FactSeconds } from './facts/stopwatch.ts';
import { remedyText, type Commands, type Remedy } from '../text/remedy.ts';
import { oneLine } from '../text/visible.ts';

/** The findings, and what was measured beside them. */
export interface Judged {
  readonly findings: Finding[];
  /** By check: seconds that the slowest reading of what it looked at took. Readings go on side by side: these don't add up. */
  readonly seconds: Readonly<Record<string, number>>;
}

/**
 * Answers every check that applies, with one log group each.
 * Decision: docs/decisions/0018-checks.md
 * @param read how long the reading of each fact took
 * @param docs address of the page that explains the checks
 */
export async function judge(facts: Facts, read: FactSeconds, docs: string, log: Log): Promise<Judged> {
  const ignored = facts.inputs.ignoreChecks;
  const findings: Finding[] = [];
  const seconds: Record<string, number> = {};
  for (const check of catalogue.filter((c) => c.applies?.(facts) ?? true)) {
    const { watched, looked } = watch(facts);
    const answer = bounded(changeLeaves(check.run(watched), (text) => log.redact(text)));
    const took = Math.round(Math.max(0, ...[...looked].map((fact) => read[fact] ?? 0)) * 10) / 10;
    seconds[check.id] = took;
    const reason = answer.status === 'passed' ? undefined : (ignored.get(check.id) ?? answer.ignored);
    const finding: Finding = {
      check: check.id,
      title: check.title,
      docs: `${docs}#${check.id}`,
      ...answer,
      ...(reason === undefined ? {} : { ignored: reason }),
    };
    findings.push(finding);
    const title = `${statusIcons[finding.status]} ${check.title} (${check.id}: ${statusText(finding)}, ${took.toFixed(1)} s)`;
    await log.group(title, () => {
      finding.evidence.forEach((line) => {
        log.info(line);
      });
      if (finding.remedy !== undefined) log.info(`What to do: ${remedyText(finding.remedy)}`);
      if (reason !== undefined) log.info(`Ignored: ${reason}`);
      if (finding.status !== 'passed') log.info(`More about it: ${finding.docs}`);
      return Promise.resolve();
    });
  }
  for (const id of ignored.keys())
    if (!findings.some((f) => f.check === id && f.ignored === ignored.get(id)))
      log.info(`ignore-checks names ${id}, which has nothing to be ignored any more`);
  return { findings, seconds };
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
  for (const line of evidence.map((text) => cut(oneLine(text), longestLine))) {
    room -= line.length;
    if (room < 0) break;
    lines.push(line);
  }
  const left = evidence.length - lines.length;
  return {
    status,
    evidence: left > 0 ? [...lines, `… and ${String(left)} more lines`] : lines,
    ...(remedy === undefined ? {} : { remedy: boundedRemedy(remedy) }),
    ...(place === undefined ? {} : { place }),
    ...(ignored === undefined ? {} : { ignored }),
  };
}

/** As much of a remedy; of its commands no half is given, which might do something else. */
function boundedRemedy({ text, commands = [] }: Remedy): Remedy {
  const words = cut(text, longestRemedy);
  let room = longestRemedy;
  let left = 0;
  const given: Commands[] = [];
  for (const { in: program, lines } of commands) {
    const whole = wholeCommands(program, lines, room);
    room -= whole.join('\n').length;
    left += lines.length - whole.length;
    if (whole.length > 0) given.push({ in: program, lines: whole });
  }
  return {
    text: left > 0 ? `${words} … (${String(left)} more lines of commands)` : words,
    ...(given.length === 0 ? {} : { commands: given }),
  };
}

/** What psql is given ends where a statement does; lines for a shell belong together. */
function wholeCommands(program: Commands['in'], lines: readonly string[], room: number): readonly string[] {
  let length = 0;
  const fitting = lines.findIndex((line) => (length += line.length + 1) > room);
  if (fitting === -1) return lines;
  return program === 'shell'
    ? []
    : lines.slice(0, 1 + lines.slice(0, fitting).findLastIndex((line) => line.endsWith(';')));
}

function cut(text: string, longest: number): string {
  return text.length <= longest
    ? text
    : `${text.slice(0, longest)} … (${String(text.length - longest)} more characters)`;
}

/** The worst status of all; one that is ignored counts less. */
export function verdictOf(findings: readonly Finding[]): Status {
  const order: readonly Status[] = ['failed', 'unknown', 'warning'];
  return order.find((status) => findings.some((f) => weight(f) === status)) ?? 'passed';
}
