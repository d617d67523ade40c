import type { ServerFacts } from '../../database/server.ts';
import { majorOf, minorOf, type ImageFacts } from '../../probes/probe.ts';
import { upgrade } from '../../common/versions.ts';
import { judgeFact, passed, unknown, warning, worst, type Answer } from '../../findings/finding.ts';
import type { Known } from '../../common/known.ts';
import type { Check } from '../../facts/check.ts';
import { unaskedImage } from './not-probed.ts';

/** A fault by which a role gets the rights of whoever maintains or dumps its objects. */
interface Fault {
  /** As PostgreSQL's security page names it: https://www.postgresql.org/support/security/ */
  readonly cve: string;
  /** The first minor of each major without it; undefined: none. */
  readonly fixed: { readonly 12: number | undefined; readonly 14: number };
  readonly what: string;
  /** Whether the server has it, the client programs, or both together. */
  readonly of: readonly ('server' | 'client')[];
}

const faults: readonly Fault[] = [
  {
    cve: 'CVE-2022-1552',
    fixed: { 12: 11, 14: 3 },
    what: "REINDEX, CLUSTER, autovacuum and others run code of a table's owner with the rights of whoever starts them",
    of: ['server'],
  },
  {
    cve: 'CVE-2022-2625',
    fixed: { 12: 12, 14: 5 },
    what: 'scripts of extensions take over objects of other roles',
    of: ['server'],
  },
  {
    cve: 'CVE-2024-0985',
    fixed: { 12: 18, 14: 11 },
    what: "REFRESH MATERIALIZED VIEW CONCURRENTLY runs code of the view's owner with the rights of whoever starts it",
    of: ['server'],
  },
  {
    cve: 'CVE-2024-7348',
    fixed: { 12: 20, 14: 13 },
    what: 'a role that replaces a sequence or table during pg_dump has code run with the rights of whoever dumps',
    of: ['server', 'client'],
  },
  {
    cve: 'CVE-2025-8714 and CVE-2025-8715',
    fixed: { 12: undefined, 14: 19 },
    what: 'psql runs commands that a name or an answer of the server put into a dump',
    of: ['client'],
  },
];

/** `CVE-2022-1552: … (fixed in 12.11 and 14.3).` */
function faultSentence({ cve, fixed, what }: Fault): string {
  const ofTwelve =
    fixed[12] === undefined ? 'not fixed in PostgreSQL 12, fixed in' : `fixed in 12.${String(fixed[12])} and`;
  return `${cve}: ${what} (${ofTwelve} 14.${String(fixed[14])}).`;
}

const newest = Math.max(...faults.map(({ fixed }) => fixed[14]));

export const securityFaultChecks: readonly Check[] = [
  {
    id: 'security-faults',
    title: 'Known security faults in maintenance and dumps',
    expected: 'Neither the images nor a server that ordinary roles can log in to has one of the faults below',
    subject: 'images',
    why: `These faults can make a role that you don't trust a superuser, when somebody maintains or dumps its objects. ${faults.map(faultSentence).join(' ')} The check only warns. It warns about the running server only where a role without the superuser's rights can log in. PostgreSQL 12.22 is the last minor version of PostgreSQL 12. The action runs no maintenance in it, and dumps with the programs of PostgreSQL 14. It restores where there is no password and no network. It dumps no database in which the check restored-code finds something. The check looks for no other faults: use the newest minor version of PostgreSQL 14.`,
    advice: `Set "image-tag" and "upgrade-image" to images of PostgreSQL ${String(upgrade.to)}.${String(newest)} or later. The upgrade removes the faults of the running server. Until then, keep roles that you don't trust from logging in. Or run no maintenance and no pg_dump as the superuser on their objects.`,
    run: ({ server, upgradeProbe, servingProbe }) => {
      const answers = [
        judgeFact(server, judgeServer),
        judgeImage('serving image', 'image-tag', servingProbe, ['server', 'client']),
        judgeImage('upgrade image', 'upgrade-image', upgradeProbe, ['client']),
      ];
      const answer = answers.reduce(worst);
      const remedies = answers.flatMap(({ status, remedy }) =>
        status === 'warning' && remedy !== undefined ? [remedy.text] : [],
      );
      return answer.status === 'warning' ? { ...answer, remedy: { text: remedies.join(' ') } } : answer;
    },
  },
];

function judgeServer({ versionNumber, version, plainLogins }: ServerFacts): Answer {
  if (Math.floor(versionNumber / 10000) !== upgrade.from)
    return unknown(
      'Do what the check server-version says, then run the checks again.',
      `server ${version}: this check knows only the faults of PostgreSQL ${String(upgrade.from)}`,
    );
  const found = faultsOf(upgrade.from, versionNumber % 10000, ['server']);
  const logins = `roles without the superuser's rights that can log in: ${String(plainLogins)}`;
  const evidence = [lineOf(`server ${version}`, upgrade.from, found), logins];
  if (found.length === 0 || plainLogins === 0) return passed(...evidence);
  return warning(
    "The upgrade removes these faults. Until then, keep roles that you don't trust from logging in. Or run no REINDEX, CLUSTER, REFRESH MATERIALIZED VIEW, ALTER EXTENSION and pg_dump as the superuser on their objects.",
    ...evidence,
  );
}

function judgeImage(
  name: string,
  input: string,
  probe: Known<ImageFacts>,
  parts: readonly ('server' | 'client')[],
): Answer {
  if (!probe.known) return unaskedImage(name, probe, answerer);
  const { image, newVersion } = probe.value;
  const minor = minorOf(newVersion);
  if (majorOf(newVersion) !== upgrade.to || minor === undefined)
    return unknown(
      'Do what the check "images" says, then run the checks again.',
      `${name} ${image}: ${newVersion || 'it names no version'}`,
    );
  const found = faultsOf(upgrade.to, minor, parts);
  const evidence = lineOf(`${name} ${image}: ${newVersion}`, upgrade.to, found);
  return found.length === 0
    ? passed(evidence)
    : warning(`Set "${input}" to an image of PostgreSQL ${String(upgrade.to)}.${String(newest)} or later.`, evidence);
}

const answerer = 'Nothing in the upgrade detects that an image has these faults.';

function faultsOf(major: 12 | 14, minor: number, parts: readonly ('server' | 'client')[]): Fault[] {
  return faults.filter(
    ({ fixed, of }) => of.some((part) => parts.includes(part)) && minor < (fixed[major] ?? Infinity),
  );
}

function lineOf(what: string, major: 12 | 14, found: readonly Fault[]): string {
  const names = found.map((f) => `${f.cve} (${f.what}; fixed in ${String(major)}.${String(f.fixed[major])})`);
  return names.length === 0 ? `${what} has none of them` : `${what} has ${names.join(', ')}`;
}
