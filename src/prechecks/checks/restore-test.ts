import {
  type RestoreTestFacts,
  type RestoreResult,
  type RestoreFailure,
  restoreTestLabels,
} from '../../probes/restore-test.ts';
import {
  failed,
  judgeFact,
  shell,
  shellRemedy,
  passed,
  notProbed,
  unknown,
  warning,
  worst,
  type Answer,
} from '../../findings/finding.ts';
import { notAsked, type Known } from '../../common/known.ts';
import type { Check } from '../../facts/check.ts';
import { probeLabel } from '../../probes/probe.ts';
import { barriersBetween } from '../../target/network-policies.ts';
import type { Facts } from '../../facts/facts.ts';
import { notDumped } from '../facts/not-dumped.ts';
import { circumstance, otherRemedy, restoreTestRemedies } from './restore-test-remedies.ts';

export const restoreTestChecks: readonly Check[] = [
  {
    id: 'restore-test',
    title: 'Restore test of roles and schemas',
    expected: 'PostgreSQL 14 restores every role and every schema of the server',
    subject: 'database',
    why: "Before pg_upgrade touches a file, it dumps the roles and each schema, and restores them into the new cluster. An object that it can't restore ends the upgrade, in the downtime. So the restore test does the same beforehand. It uses pg_dump and pg_restore of the upgrade image, as pg_upgrade uses the new ones. It only reads the running server, and restores into a new cluster in a pod without a volume. Code of database users runs in the container that restores. So that container has no password, and closes the network to itself ([how](restore-test.md)). While pg_dump dumps a database, it locks each table in mode ACCESS SHARE. That takes mostly less than a second, and two minutes at most. Reading and writing go on meanwhile. An ALTER TABLE, DROP or TRUNCATE that comes in between waits. Statements that come after it wait behind it. pg_dump waits at most five seconds for a lock that somebody else holds. The test does not dump a database whose tables would take more than half of the room for locks. Nor does it dump one in which the check restored-code finds something, or gets no answer. PostgreSQL 12 may run such code as the superuser when pg_dump locks the table. Other checks look for what only the files or the free space could show. The finding shows failed statements without their literals, which may be secrets.",
    says: 'pg_restore: error: could not execute query: ERROR: ...',
    shows: 'upgrade',
    advice:
      'Change or drop each object that the finding names, then run the checks again. An object that depends on another one fails with it. Where a NetworkPolicy keeps the pod from the server, the check only warns, because pg_upgrade needs no network. Where the server itself refuses the pod (pg_hba.conf), let pods with the label app.kubernetes.io/name: postgres-upgrade-probe connect, or ignore the check.',
    run: (facts) =>
      judgeFact(facts.databases, (list) => {
        const { restoreTest } = facts;
        if (!restoreTest.known) return notRun(restoreTest);
        if (restoreTest.value.unreachable !== undefined) return unreached(restoreTest.value.unreachable, facts);
        const dumped = new Set(restoreTest.value.places.map(({ database }) => database));
        const left = [...notDumped(list, facts.hazards, facts.inputs.ignoreChecks)].filter(
          ([name]) => !dumped.has(name),
        );
        return judge(
          restoreTest.value,
          left.map(([name, reason]) => `${JSON.stringify(name)}: ${reason}`),
        );
      }),
  },
];

/** As with the images: a test that an input turned off does not block. */
function notRun({ reason, code }: Extract<Known<never>, { known: false }>): Answer {
  return code === notAsked
    ? notProbed(
        '"probes" is none. pg_upgrade reports in the Job, before it touches a file, what it can\'t restore. The action then restores PostgreSQL 12.',
        'Set "probes" to pods, so that the restore test runs before the downtime.',
        reason,
      )
    : unknown(solveAndRepeat, reason);
}

/**
 * pg_upgrade needs no network, so what keeps the pod from the server does not block the upgrade. Where no NetworkPolicy does, the finding is unknown: the
 * server itself may be the reason.
 */
function unreached(said: string, { target, server, networkPolicies }: Facts): Answer {
  const seen = `no connection from a pod to the running server: ${said}`;
  if (!networkPolicies.known)
    return warning(
      `${untried} A NetworkPolicy is the most likely reason. Let pods with the label ${probeLabelText} reach PostgreSQL, or grant the right to list NetworkPolicies, then run the checks again.`,
      seen,
      `the NetworkPolicies of namespace ${target.namespace} could not be read: ${networkPolicies.reason}`,
    );
  const { pod } = target;
  const port = server.known ? server.value.port : 5432;
  const barriers =
    pod === undefined ? [] : barriersBetween(networkPolicies.value, restoreTestLabels, pod, port, probeLabel);
  if (barriers.length === 0) return unknown(solveAndRepeat, seen);
  const commands = barriers.map(
    ({ policies: [first = ''], patch }) =>
      shell`kubectl -n ${target.namespace} patch networkpolicy ${first} --type json -p ${JSON.stringify(patch)}`,
  );
  return warning(
    shellRemedy(
      `${untried} Let pods with the label ${probeLabelText} reach PostgreSQL, then run the checks again.`,
      ...commands,
    ),
    seen,
    ...barriers.map(({ direction, policies }) =>
      direction === 'ingress'
        ? `NetworkPolicy ${policies.join(', ')} closes pod ${target.podName}, and lets no pod with this label connect`
        : `NetworkPolicy ${policies.join(', ')} closes pods with this label, and does not let them connect to pod ${target.podName}`,
    ),
  );
}

const probeLabelText = Object.entries(probeLabel)
  .map(([name, value]) => `${name}: ${value}`)
  .join();
const untried =
  'The restore test did not run. pg_upgrade itself needs no network. What the test would find then fails in the downtime, before pg_upgrade touches a file. The action then restores PostgreSQL 12.';

function judge({ broken, places, network }: RestoreTestFacts, left: readonly string[]): Answer {
  const failures = places.flatMap((place) => [
    ...place.failures
      .filter(({ message }) => !circumstance.test(message))
      .map((f) => ({ place, text: lineOf(place, f), message: f.message })),
    ...(isDumpRefused(place)
      ? [{ place, text: `${nameOf(place)}: ${dumpOf(place)}`, message: place.dump[0] ?? '' }]
      : []),
  ]);
  const omitted = places
    .filter(({ more }) => more > 0)
    .map((place) => `${nameOf(place)}: ${String(place.more)} more errors`);
  const undumped = places.filter((place) => place.dump.length > 0 && !isDumpRefused(place));
  const isWithoutRoles = places.some(({ database, dump }) => database === undefined && dump.length > 0);
  const unread = [
    ...(broken === undefined ? [] : [broken]),
    ...left,
    ...places.flatMap((place) => unreadOf(place, broken !== undefined || isWithoutRoles)),
  ];
  const done = places.filter((place) => place.seconds !== undefined).map(nameOf);
  const seen =
    failures.length > 0
      ? failed(remedyOf(failures.map(({ message }) => message)), ...failures.map(({ text }) => text), ...omitted)
      : passed(...(done.length > 0 ? [`restored without an error: ${done.join(', ')}`] : []));
  const open =
    network === undefined
      ? seen
      : worst(seen, warning(closeNetwork, `the restore could reach the network: ${network}`));
  const tested = unread.length === 0 ? open : worst(open, unknown(solveAndRepeat, ...unread));
  if (undumped.length === 0) return tested;
  const remedy = isWithoutRoles ? `Without the roles, the test restores no database. ${dumpAgain}` : dumpAgain;
  return worst(tested, unknown(remedy, ...undumped.map((place) => `${nameOf(place)}: ${dumpOf(place)}`)));
}

const closeNetwork =
  "Code of the databases' users runs in the restore. It has no password there, but it could connect to other hosts. Apply the NetworkPolicy of docs/restore-test.md once, or use an upgrade image with Perl.";
const otherwise =
  'name the check in "ignore-checks". What the test would find then fails in the downtime, before pg_upgrade touches a file.';
const solveAndRepeat = `Solve what the finding names, then run the checks again. If it must stay (a rule of pg_hba.conf, for example), ${otherwise}`;
const dumpAgain = `The dump itself failed, which says nothing about the schema. Run the checks again. If the message stays, solve what it names, or ${otherwise}`;

/** Whether the dump failed because of an object, and not because of the circumstances. */
function isDumpRefused({ dump }: RestoreResult): boolean {
  return dump.length > 0 && !dump.some((line) => circumstance.test(line));
}

/** @param isEnded the test stopped before it came to all places, for a reason that the finding names */
function unreadOf(place: RestoreResult, isEnded: boolean): string[] {
  const circumstances = place.failures.filter(({ message }) => circumstance.test(message)).map((f) => lineOf(place, f));
  if (place.skipped !== undefined) return [`${nameOf(place)}: ${place.skipped}`];
  if (place.dump.length > 0) return [];
  if (place.server.length > 0)
    return [...circumstances, ...place.server.map((line) => `${nameOf(place)}: PostgreSQL 14: ${line}`)];
  if (place.seconds === undefined && !isEnded) return [...circumstances, `${nameOf(place)}: not restored`];
  return circumstances;
}

function nameOf({ database }: RestoreResult): string {
  return database ?? 'roles and settings';
}

function dumpOf({ dump }: RestoreResult): string {
  return dump.slice(0, 3).join(' ');
}

function lineOf(place: RestoreResult, { object, message, details, statement }: RestoreFailure): string {
  return [
    nameOf(place),
    ...(object === undefined ? [] : [object]),
    [message, ...details].join(' '),
    ...(statement === '' ? [] : [statement]),
  ].join(': ');
}

function remedyOf(messages: readonly string[]): string {
  const remedies = messages.map(
    (text) => restoreTestRemedies.find(({ message }) => message.test(text))?.remedy ?? otherRemedy,
  );
  return [
    ...new Set(remedies),
    'Later errors in the same database may only follow from earlier ones. Where another check names the object too, that check has the commands.',
  ].join('\n');
}
