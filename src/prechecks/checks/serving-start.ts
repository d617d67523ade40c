import type { Trial } from '../../probes/run-trial.ts';
import {
  failed,
  judgeFact,
  passed,
  removeReason,
  notProbed,
  unknown,
  warning,
  type Answer,
} from '../../findings/finding.ts';
import { notAsked, type Known } from '../../common/known.ts';
import type { Check } from '../../facts/check.ts';

export const servingStartChecks: readonly Check[] = [
  {
    id: 'serving-start',
    title: 'Trial start of PostgreSQL 14',
    expected: 'PostgreSQL 14 starts with the configuration and environment of the StatefulSet',
    subject: 'images',
    why: "Settings that 14 no longer knows, values that it refuses, libraries that its image lacks: in the chart's configuration, in environment variables or flags. The server's pod is started with the serving image on an empty volume, under labels which no Service selects, and asked how it reads its files.",
    says: 'unrecognized configuration parameter "wal_keep_segments"; could not access file "pgaudit": No such file or directory',
    shows: 'start',
    run: ({ trial }) => (trial.known ? judge(trial.value) : untried(trial, whetherItStarts)),
  },
  {
    id: 'serving-logins',
    title: 'Logins to PostgreSQL 14 with stored passwords',
    expected: 'Every role can log in to PostgreSQL 14 with the password that it has',
    subject: 'images',
    why: 'A secret stored as md5 is refused where pg_hba.conf asks for scram-sha-256, and the serving image may write another pg_hba.conf than the running one. It is read from the trial start of 14.',
    says: 'password authentication failed for user "app"',
    shows: 'start',
    run: ({ trial, md5Roles }) =>
      judgeFact(md5Roles, (roles) => {
        if (roles.length === 0) return passed('no role logs in by a secret stored as md5');
        if (!trial.known) return untried(trial, afterwards);
        if (!trial.value.started) return unknown('Look at the check serving-start.', 'PostgreSQL 14 did not start');
        return judgeLogins(trial.value, roles);
      }),
  },
];

const whetherItStarts = 'The upgrade tells: if 14 does not start, 12 comes back.';
const afterwards = 'The upgrade tells of no login but its own: a role that is refused is seen when it logs in to 14.';

function judge(trial: Trial): Answer {
  if (!trial.started)
    return failed(
      "Take what it names out of the chart's values (configuration, environment, flags), or use an image that has it. Otherwise 14 does not start after the upgrade either.",
      `${trial.image} ended with code ${String(trial.exitCode)} on an empty volume`,
      ...trial.lines,
    );
  const { version, errors, rules, preloaded } = trial.configuration;
  const wrong = [
    ...errors,
    ...rules.flatMap(({ line, error }) => (error === null ? [] : [`pg_hba.conf line ${String(line)}: ${error}`])),
  ];
  const seen = `PostgreSQL ${version} of ${trial.image} started; shared_preload_libraries: ${preloaded === '' ? 'none' : preloaded}; ${String(rules.length)} rules in pg_hba.conf`;
  return wrong.length === 0 ? passed(seen) : warning('Correct these lines: 14 starts without them.', ...wrong, seen);
}

function judgeLogins({ configuration, image }: Extract<Trial, { started: true }>, roles: readonly string[]): Answer {
  const refused = roles.flatMap((role) => {
    const rule = configuration.rules.find(
      ({ users, method }) =>
        method === 'scram-sha-256' && (users ?? []).some((user) => user === 'all' || user === role),
    );
    return rule === undefined
      ? []
      : [
          `${role}: its secret is stored as md5, line ${String(rule.line)} of pg_hba.conf in ${image} asks for scram-sha-256`,
        ];
  });
  return refused.length === 0
    ? passed(`${String(roles.length)} roles have a secret stored as md5, and no rule of ${image} asks for another one`)
    : failed(
        'Before the upgrade set their passwords again with password_encryption = scram-sha-256 (\\password in psql), or have pg_hba.conf say md5.',
        ...refused,
      );
}

/** Not to try is a choice, or has a good reason. */
function untried({ reason, code }: Extract<Known<Trial>, { known: false }>, answerer: string): Answer {
  return code === notAsked || code === 'not-tried'
    ? notProbed(
        answerer,
        'Start the serving image with your values in another namespace to be sure.',
        `14 was not started: ${reason}`,
      )
    : unknown(removeReason, reason);
}
