import { connectCommand } from '../database/script.ts';
import { oneLine } from '../text/visible.ts';
import {
  failed,
  passed,
  psqlRemedy,
  remedyOfUnread,
  unknown,
  warning,
  worst,
  type Answer,
} from '../findings/finding.ts';
import type { Answers, Hazard, HazardFacts } from './hazard.ts';
import type { Known, Unknown } from '../common/known.ts';

/** One place that was asked: the server, or a database. */
interface Place {
  /** Undefined for the server. */
  readonly database: string | undefined;
  readonly answers: Known<Answers>;
}

/** What the answers say of one hazard. */
export function judgeHazard(hazard: Hazard, facts: HazardFacts): Answer {
  return judge(hazard, placesOf(hazard, facts));
}

function placesOf(hazard: Hazard, facts: HazardFacts): Place[] {
  return [
    ...(hazard.server === undefined ? [] : [{ database: undefined, answers: facts.server }]),
    ...(hazard.database === undefined
      ? []
      : Object.entries(facts.databases).map(([database, answers]) => ({ database, answers }))),
  ];
}

function judge(hazard: Hazard, places: readonly Place[]): Answer {
  const present: string[] = [];
  const unread: string[] = [];
  const sessions: string[][] = [];
  const read: Place[] = [];
  let reason: Unknown | undefined;
  let isCertain = false;
  for (const place of places) {
    const { database, answers } = place;
    const where = database === undefined ? '' : `${oneLine(database)}: `;
    const found = answers.known ? answers.value[hazard.id] : answers;
    if (found?.known !== true) {
      reason ??= found;
      unread.push(`${where}${found?.reason ?? 'psql left out the answer'}`);
      continue;
    }
    read.push(place);
    const { total, rows } = found.value;
    isCertain ||= rows.some(({ detail }) => detail !== hazard.doubt);
    present.push(...rows.map(({ object, detail }) => `${where}${oneLine(object)}: ${oneLine(detail)}`));
    if (total > rows.length) present.push(`${where}${String(total - rows.length)} more`);
    const remedies = [...new Set(rows.map(({ remedy }) => remedy).filter((remedy) => remedy !== ''))];
    if (remedies.length > 0) sessions.push([connectCommand(database ?? 'template1'), ...remedies]);
  }
  if (places.length === 0)
    return unknown(
      "Look whether `psql -l` in the server's pod lists the databases, then run the checks again.",
      'the server listed no database',
    );
  const seen =
    present.length > 0
      ? found(isCertain ? hazard.severity : 'warning', hazard.advice, sessions, present)
      : passed(...(read.length > 0 ? [nothingIn(read)] : []));
  return unread.length === 0 ? seen : worst(seen, unknown(remedyOfUnread(reason), ...unread));
}

function found(
  severity: Hazard['severity'],
  advice: string,
  sessions: readonly (readonly string[])[],
  evidence: readonly string[],
): Answer {
  const remedy = psqlRemedy(advice, sessions);
  return severity === 'failed' ? failed(remedy, ...evidence) : warning(remedy, ...evidence);
}

function nothingIn(places: readonly Place[]): string {
  const databases = places.flatMap(({ database }) => (database === undefined ? [] : [oneLine(database)]));
  const asked = [...(databases.length < places.length ? ['the server'] : []), ...databases];
  return `no problem found in ${asked.join(', ')}`;
}
