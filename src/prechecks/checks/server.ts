import { obstacleName, obstacleRemedy, type Obstacle } from '../../database/obstacles.ts';
import { upgrade } from '../../common/versions.ts';
import { sessionIn } from '../../target/session.ts';
import type { Facts } from '../../facts/facts.ts';
import { copyable, failed, judgeFact, passed, type Answer } from '../../findings/finding.ts';
import type { Check } from '../../facts/check.ts';

export const serverChecks: readonly Check[] = [
  {
    id: 'superuser-login',
    title: "Login with the superuser's password from the Secret",
    expected: "The superuser's password from the Secret works",
    subject: 'database',
    why: "The vendor's upgrade page tests the password with SELECT 1. The checks, ANALYZE and the comparison of the data need it.",
    advice:
      'Set "secret-name" and "secret-key" to the Secret and the key with the password of role postgres, or repair the Secret. Remove a setting "role" from the superuser: `ALTER ROLE postgres RESET role`',
    run: ({ server, target }) =>
      !server.known && server.code === 'psql-failed' && !isAway.test(server.reason)
        ? failed(
            'Set "secret-name" and "secret-key" to the Secret and the key with the password of role postgres, or repair the Secret.',
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
    expected: `The server is a primary of PostgreSQL ${String(upgrade.from)}`,
    subject: 'database',
    why: "The action upgrades from PostgreSQL 12 to PostgreSQL 14 only, and a standby can't be upgraded.",
    advice: 'Upgrade the primary. Rebuild standbys afterwards.',
    run: ({ server }) =>
      judgeFact(server, (facts) => {
        const evidence = `server_version ${facts.version}${facts.inRecovery ? ', in recovery' : ''}`;
        if (facts.inRecovery) return failed('Upgrade the primary. Rebuild the standby afterwards.', evidence);
        return Math.floor(facts.versionNumber / 10000) === upgrade.from
          ? passed(evidence)
          : failed(`This action upgrades PostgreSQL ${String(upgrade.from)} only.`, evidence);
      }),
  },
  {
    id: 'prepared-transactions',
    title: 'Prepared transactions',
    advice:
      'End each with ROLLBACK PREPARED, or with COMMIT PREPARED if whoever prepared it says so. The check prints the commands.',
    expected: 'The server has no prepared transaction',
    subject: 'database',
    why: 'pg_upgrade refuses a server with prepared transactions (pg_prepared_xacts). The upgrade asks again when the last client has disconnected.',
    run: (facts) => expectNone('prepared transaction', facts),
  },
  {
    id: 'replication-slots',
    title: 'Replication slots',
    advice:
      'Stop the readers of the slots, then drop the slots. The check prints the commands. The readers have to start again with PostgreSQL 14.',
    expected: 'The server has no replication slot',
    subject: 'database',
    why: 'pg_upgrade to PostgreSQL 14 leaves replication slots behind without a message, and their readers lose their place. The upgrade asks again when the last client has disconnected.',
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
