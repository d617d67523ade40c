import type { DatabaseFacts } from '../../database/server.ts';
import { isRestoreTested } from '../../probes/restore-test.ts';
import type { Known } from '../../common/known.ts';
import { restoredCode } from '../../hazards/code.ts';
import type { HazardFacts } from '../../hazards/hazard.ts';
import type { Ignored } from '../../inputs/ignore.ts';

/**
 * The databases that the restore test leaves out, with the reason as a part of a sentence; without template0, which pg_upgrade does not dump either. pg_dump
 * locks each table, and PostgreSQL 12 then runs functions of partition keys with the rights of whoever dumps. So the test dumps a database only where the
 * check `restored-code` found nothing, or where `ignore-checks` names that check.
 */
export function notDumped(
  list: readonly DatabaseFacts[],
  hazards: Known<HazardFacts>,
  ignored: Ignored,
): ReadonlyMap<string, string> {
  const reasons = list
    .filter(({ name }) => name !== 'template0')
    .map((d) => [d.name, isRestoreTested(d) ? codeIn(d.name, hazards, ignored) : unasked(d)] as const);
  return new Map(reasons.flatMap(([name, reason]) => (reason === undefined ? [] : [[name, reason]])));
}

function unasked({ allowsConnections }: DatabaseFacts): string {
  return allowsConnections ? 'its name has a line break' : 'it accepts no connections';
}

function codeIn(name: string, hazards: Known<HazardFacts>, ignored: Ignored): string | undefined {
  if (ignored.has(restoredCode.id)) return undefined;
  const answers = hazards.known ? hazards.value.databases[name] : hazards;
  const found = answers?.known === true ? answers.value[restoredCode.id] : answers;
  if (found?.known !== true)
    return `not dumped, because the check ${restoredCode.id} has no answer: ${found?.reason ?? 'psql left out the answer'}`;
  return found.value.total === 0
    ? undefined
    : `not dumped, because a dump may run, as the superuser, what the check ${restoredCode.id} found there`;
}
