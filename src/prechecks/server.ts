import { upgrade } from '../versions.ts';
import { failed, given, passed, type Check } from './finding.ts';

export const serverChecks: readonly Check[] = [
  {
    id: 'superuser-login',
    title: "The superuser's password from the Secret works",
    subject: 'database',
    why: 'The page has it checked with SELECT 1. Checks, ANALYZE and the comparison afterwards need it.',
    run: ({ server, target }) =>
      !server.known && server.code === 'psql-failed'
        ? failed(
            `Set "secret-name" and "secret-key" to where the password of role postgres is, or repair the Secret.`,
            server.reason,
          )
        : given(server, (facts) =>
            facts.currentUser === 'postgres'
              ? passed(`logged in as ${facts.currentUser} with Secret ${target.secret.name}, key ${target.secret.key}`)
              : failed(
                  'Remove the setting "role" from the superuser: ALTER ROLE postgres RESET role',
                  `logged in as postgres, but the session is ${facts.currentUser}`,
                ),
          ),
  },
  {
    id: 'server-version',
    title: `The server is PostgreSQL ${String(upgrade.from)}, a primary`,
    subject: 'database',
    why: "The majors are a fixed pair, and a standby can't be upgraded.",
    run: ({ server }) =>
      given(server, (facts) => {
        const evidence = `server_version ${facts.version}${facts.inRecovery ? ', in recovery' : ''}`;
        if (facts.inRecovery) return failed('Upgrade the primary; build the standby anew afterwards.', evidence);
        return Math.floor(facts.versionNumber / 10000) === upgrade.from
          ? passed(evidence)
          : failed(`This action upgrades PostgreSQL ${String(upgrade.from)} only.`, evidence);
      }),
  },
];
