import { obstacleName, obstacleRemedy, type Obstacle } from '../../database/obstacles.ts';
import { upgrade } from '../../common/versions.ts';
import { sessionIn } from '../../target/target.ts';
import type { Facts } from '../../facts/facts.ts';
import { copyable, failed, judgeFact, passed, type Answer } from '../../findings/finding.ts';
import type { Check } from '../../facts/check.ts';

export const serverChecks: readonly Check[] = [
  {
    id: 'superuser-login',
    title: "Login with the superuser's password from the Secret",
    expected: "The superuser's password from the Secret works",
    subject: 'database',
    why: 'The page has it checked with SELECT 1. Checks, ANALYZE and the comparison afterwards need it.',
    run: ({ server, target }) =>
      !server.known && server.code === 'psql-failed' && !isAway.test(server.reason)
        ? failed(
            'Set "secret-name" and "secret-key" to where the password of role postgres is, or repair the Secret.',
            server.reason,
          )
        : judgeFact(server, (facts) =>
            facts.currentUser === 'postgres'
              ? passed(`logged in as ${facts.currentUser} with Secret ${target.secret.name}, key ${target.secret.key}`)
              : failed(
                  `Remove the setting "role" from the superuser: ${copyable('ALTER ROLE postgres RESET role')}`,
                  `logged in as postgres, but the session is ${facts.currentUser}`,
                ),
          ),
  },
  {
    id: 'server-version',
    title: 'Major version and recovery state of the server',
    expected: `The server is PostgreSQL ${String(upgrade.from)}, a primary`,
    subject: 'database',
    why: "The majors are a fixed pair, and a standby can't be upgraded.",
    run: ({ server }) =>
      judgeFact(server, (facts) => {
        const evidence = `server_version ${facts.version}${facts.inRecovery ? ', in recovery' : ''}`;
        if (facts.inRecovery) return failed('Upgrade the primary; build the standby anew afterwards.', evidence);
        return Math.floor(facts.versionNumber / 10000) === upgrade.from
          ? passed(evidence)
          : failed(`This action upgrades PostgreSQL ${String(upgrade.from)} only.`, evidence);
      }),
  },
  {
    id: 'prepared-transactions',
    title: 'Prepared transactions',
    expected: 'No transaction is prepared and left',
    subject: 'database',
    why: 'pg_upgrade refuses a server with one (pg_prepared_xacts). It is asked again when the last client has gone.',
    run: (facts) => expectNone('prepared transaction', facts),
  },
  {
    id: 'replication-slots',
    title: 'Replication slots',
    expected: 'No replication slot is there',
    subject: 'database',
    why: 'pg_upgrade to 14 leaves them behind without a word, and whoever reads from one loses its place. It is asked again when the last client has gone.',
    run: (facts) => expectNone('replication slot', facts),
  },
];

/** What psql says of a server that never came to look at the password. */
const isAway =
  /the database system is (?:shutting down|starting up|in recovery mode|not yet accepting connections|not accepting connections)|terminating connection due to administrator command|connection refused|no such file or directory|server closed the connection unexpectedly|connection to server was lost|too many clients already|remaining connection slots are reserved/i;

function expectNone(kind: Obstacle['kind'], { obstacles, target }: Facts): Answer {
  return judgeFact(obstacles, (all) => {
    const found = all.filter((o) => o.kind === kind);
    return found.length === 0
      ? passed(`there is no ${kind}`)
      : failed(obstacleRemedy(found, sessionIn(target)), ...found.map(obstacleName));
  });
}
