import { isReplayed, type ReplayFacts, type Replayed, type RestoreFailure } from '../job/replay.ts';
import {
  failed,
  given,
  notAsked,
  passed,
  unasked,
  unknown,
  worst,
  type Answer,
  type Check,
  type Known,
} from './finding.ts';
import { circumstance, otherRemedy, replayRemedies } from './replay-remedies.ts';

export const replayChecks: readonly Check[] = [
  {
    id: 'replay',
    title: '14 takes every object of the server',
    subject: 'database',
    why: 'Before pg_upgrade touches a file it dumps the roles and each schema and restores them into the new cluster; what can not be restored ends it, in the downtime. So the same is done before: pg_dump and pg_restore of the upgrade image (pg_upgrade uses the new ones too) go from the running server, which is only read, into a new cluster in a pod without a volume. Each table is locked in the mode ACCESS SHARE while its database is dumped, mostly for less than a second, for two minutes at the most: reading and writing go on, but an ALTER TABLE, DROP or TRUNCATE that comes in between waits, and what comes after that waits behind it. A dump waits five seconds at the most for a lock that somebody else has. A database whose tables would take more than half of the room for locks is not dumped. What only the files or the free space could show is asked by other checks. Of statements that fail the literals are not told: they may be secrets.',
    says: 'pg_restore: error: could not execute query: ERROR: ...',
    shows: 'upgrade',
    advice:
      'Change or drop each object that is told, then run the checks again: one that depends on another fails with it. Where the pod may not reach the server, let pods with the label app.kubernetes.io/name: postgres-upgrade-probe in (NetworkPolicy, pg_hba.conf), or ignore the check.',
    run: ({ replay, databases }) =>
      given(databases, (list) => {
        if (!replay.known) return unreplayed(replay);
        const left = list
          .filter((d) => !isReplayed(d) && d.name !== 'template0')
          .map(({ name }) => JSON.stringify(name));
        return judge(
          replay.value,
          left.map((name) => `${name}: it accepts no connections, or has a line break in its name`),
        );
      }),
  },
];

/** As with the images: what nobody wanted to be asked does not block. */
function unreplayed({ reason, code }: Extract<Known<never>, { known: false }>): Answer {
  return code === notAsked
    ? unasked(
        '"probes" is none. pg_upgrade tells in the Job, before it touches a file, and 12 comes back.',
        'Set "probes" to pods, so that it is tried before the downtime.',
        reason,
      )
    : unknown(reach, reason);
}

function judge({ broken, places }: ReplayFacts, left: readonly string[]): Answer {
  const failures = places.flatMap((place) => [
    ...place.failures
      .filter(({ message }) => !circumstance.test(message))
      .map((f) => ({ place, text: lineOf(place, f), message: f.message })),
    ...(isDumpRefused(place)
      ? [{ place, text: `${nameOf(place)}: ${dumpOf(place)}`, message: place.dump[0] ?? '' }]
      : []),
  ]);
  const untold = places
    .filter(({ more }) => more > 0)
    .map((place) => `${nameOf(place)}: ${String(place.more)} more errors`);
  const unread = [
    ...(broken === undefined ? [] : [broken]),
    ...left,
    ...places.flatMap((place) => unreadOf(place, broken !== undefined)),
  ];
  const done = places.filter((place) => place.seconds !== undefined).map(nameOf);
  const seen =
    failures.length > 0
      ? failed(remedyOf(failures.map(({ message }) => message)), ...failures.map(({ text }) => text), ...untold)
      : passed(...(done.length > 0 ? [`restored without an error: ${done.join(', ')}`] : []));
  return unread.length === 0 ? seen : worst(seen, unknown(reach, ...unread));
}

const reach =
  'Remove the reason, then run the checks again. If it is to stay (a NetworkPolicy, say), name the check in "ignore-checks": what it would find then fails in the downtime, before a file is touched.';

/** A refusal of the object's own, and not of the moment. */
function isDumpRefused({ dump }: Replayed): boolean {
  return dump.length > 0 && !dump.some((line) => circumstance.test(line));
}

function unreadOf(place: Replayed, isBroken: boolean): string[] {
  const circumstances = place.failures.filter(({ message }) => circumstance.test(message)).map((f) => lineOf(place, f));
  if (place.skipped !== undefined) return [`${nameOf(place)}: ${place.skipped}`];
  if (place.dump.length > 0) return isDumpRefused(place) ? [] : [`${nameOf(place)}: ${dumpOf(place)}`];
  if (place.server.length > 0)
    return [...circumstances, ...place.server.map((line) => `${nameOf(place)}: PostgreSQL 14: ${line}`)];
  if (place.seconds === undefined && !isBroken) return [...circumstances, `${nameOf(place)}: it was not restored`];
  return circumstances;
}

function nameOf({ database }: Replayed): string {
  return database ?? 'roles and settings';
}

function dumpOf({ dump }: Replayed): string {
  return dump.slice(0, 3).join(' ');
}

function lineOf(place: Replayed, { object, message, details, statement }: RestoreFailure): string {
  return [
    nameOf(place),
    ...(object === undefined ? [] : [object]),
    [message, ...details].join(' '),
    ...(statement === '' ? [] : [statement]),
  ].join(': ');
}

function remedyOf(messages: readonly string[]): string {
  const remedies = messages.map(
    (text) => replayRemedies.find(({ message }) => message.test(text))?.remedy ?? otherRemedy,
  );
  return [
    ...new Set(remedies),
    'What follows in the same database may have failed only with what went before. Where another check names the object too, it has the commands.',
  ].join('\n');
}
