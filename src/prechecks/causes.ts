import type { Unknown } from '../common/known.ts';
import type { Facts } from '../facts/facts.ts';
import { closedDatabase } from '../findings/closed-databases.ts';
import type { Cause, Finding } from '../findings/finding.ts';
import { shortened } from '../text/shortened.ts';
import { oneLine } from '../text/visible.ts';

/** Characters of a reason by which it is found again in evidence, which is cut where it is long. */
const reasonLength = 1000;

/**
 * Which checks wait for the same: one reason keeps many of them from an answer, and often another check has found that reason. It is told by the facts that a
 * check looked at: the reason of one that is unknown stands in its evidence.
 * Decision: docs/decisions/0018-checks.md
 * @param looked names of the facts that each check looked at, by its id
 * @param redact as evidence is redacted
 */
export function withCauses(
  findings: readonly Finding[],
  facts: Facts,
  looked: Readonly<Record<string, Iterable<keyof Facts>>>,
  redact: (text: string) => string,
): Finding[] {
  const asEvidence = ({ reason, ...rest }: Unknown): Unknown => ({ ...rest, reason: oneLine(redact(reason)) });
  const ofFact = new Map<keyof Facts, Unknown[]>();
  const reasonsIn = (name: keyof Facts): Unknown[] => {
    const known = ofFact.get(name) ?? unknownsIn(facts[name]).map(asEvidence);
    ofFact.set(name, known);
    return known;
  };
  const causes = findings.map((finding) => {
    if (finding.status !== 'unknown' || finding.ignored !== undefined) return undefined;
    // A database that accepts no connections is in no fact of its own.
    const all = [...[...(looked[finding.check] ?? [])].flatMap(reasonsIn), closedDatabase];
    return causeOf(
      finding,
      all.filter(({ reason }) => isIn(finding, reason)),
      findings,
      facts,
    );
  });
  const waiting = Map.groupBy(
    causes.filter((cause) => cause !== undefined),
    ({ reason }) => reason,
  );
  return findings.map((finding, index) => {
    const cause = causes[index];
    const isShared = cause?.check !== undefined || (waiting.get(cause?.reason ?? '')?.length ?? 0) > 1;
    return cause !== undefined && isShared ? { ...finding, cause } : finding;
  });
}

/** All that is unknown in a fact, also what is unknown by itself within it. */
function unknownsIn(value: unknown): Unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  if (isUnknown(value)) return [value];
  return Object.values(value).flatMap(unknownsIn);
}

function isUnknown(value: object): value is Unknown {
  return 'known' in value && value.known === false && 'reason' in value && typeof value.reason === 'string';
}

function isIn({ evidence }: Finding, reason: string): boolean {
  return reason !== '' && evidence.some((line) => line.includes(reason.slice(0, reasonLength)));
}

function causeOf(
  finding: Finding,
  reasons: readonly Unknown[],
  findings: readonly Finding[],
  facts: Facts,
): Cause | undefined {
  const causes = reasons.map((reason): Cause => {
    const check = finderOf(finding, reason, findings, facts);
    // What one check has found counts as one, in whichever words a server refuses.
    return check === undefined
      ? { reason: bare(reason.reason) }
      : { reason: `first do what the check ${check} says`, check };
  });
  const different = [...new Map(causes.map((cause) => [cause.reason, cause])).values()];
  const [only, ...others] = different;
  if (only === undefined || others.length === 0) return only;
  return { reason: shortened(different.map(({ reason }) => reason).join('; '), reasonLength) };
}

/** What a pod waits for, whichever pod it is. */
function bare(reason: string): string {
  return shortened(reason.replace(/^Timed out after \d+ s waiting for .+?: /, ''), reasonLength);
}

/** The check that has found what keeps another one from an answer. */
function finderOf(finding: Finding, reason: Unknown, findings: readonly Finding[], facts: Facts): string | undefined {
  const isFound = (id: string) => findings.some(({ check, status }) => check === id && isOpen(status));
  const candidates = finders.flatMap(({ checks, finds }) => (finds(reason, facts) ? checks : []));
  const same = findings.find((other) => other.status === 'failed' && isIn(other, reason.reason));
  return [...candidates.filter(isFound), ...(same === undefined ? [] : [same.check])].find(
    (id) => id !== finding.check,
  );
}

function isOpen(status: Finding['status']): boolean {
  return status === 'failed' || status === 'warning';
}

/** Checks that find what keeps others from an answer, and by what that is told. */
const finders: readonly {
  readonly checks: readonly string[];
  readonly finds: (reason: Unknown, facts: Facts) => boolean;
}[] = [
  { checks: ['invalid-databases', 'database-connections'], finds: ({ code }) => code === 'no-connections' },
  {
    checks: ['bootstrap-superuser'],
    finds: ({ reason }) => /permission denied|must be (?:a )?superuser|only superusers? /i.test(reason),
  },
  {
    checks: ['permissions'],
    finds: ({ code, reason }, { missingPermissions }) =>
      code === 'permissions-missing' ||
      (code === 'forbidden' &&
        missingPermissions.known &&
        missingPermissions.value.some(({ verb, resource, subresource }) =>
          reason.includes(`cannot ${verb} resource "${resource}${subresource === undefined ? '' : `/${subresource}`}"`),
        )),
  },
];
