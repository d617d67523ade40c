import type { Trial } from '../../probes/run-trial.ts';
import { isTriedWithoutTls } from '../../probes/trial-pod.ts';
import { failed, judgeFact, passed, notProbed, unknown, unread, warning, type Answer } from '../../findings/finding.ts';
import { notAsked, type Known } from '../../common/known.ts';
import type { Check } from '../../facts/check.ts';

const removeSettings =
  "Remove what the messages name from the chart's values (configuration, environment, flags), or use an image that has it. Otherwise PostgreSQL 14 does not start after the upgrade either.";
const newPasswords =
  'Before the upgrade, set their passwords again with password_encryption = scram-sha-256 (\\password in psql), or have pg_hba.conf ask for md5.';

export const servingStartChecks: readonly Check[] = [
  {
    id: 'serving-start',
    title: 'Trial start of PostgreSQL 14',
    expected: 'PostgreSQL 14 starts with the configuration and environment of the StatefulSet',
    subject: 'images',
    why: "The check finds settings that PostgreSQL 14 no longer knows, values that it refuses, and libraries that its image lacks. They may be in the chart's configuration, in environment variables or in flags. The check starts the server's pod with the serving image on an empty volume, under labels that no Service selects. It asks that server how it reads its files. Where the chart copies a certificate by the init container copy-certs, the trial runs without TLS, and has neither the certificate nor its key.",
    advice: removeSettings,
    says: 'unrecognized configuration parameter "wal_keep_segments"; could not access file "pgaudit": No such file or directory',
    shows: 'start',
    run: ({ trial, target }) =>
      trial.known ? judge(trial.value, isTriedWithoutTls(target)) : untried(trial, whetherItStarts),
  },
  {
    id: 'serving-logins',
    title: 'Logins to PostgreSQL 14 with stored passwords',
    expected: 'Every role can log in to PostgreSQL 14 with the password that it has',
    subject: 'images',
    why: 'PostgreSQL refuses a password stored as md5 where pg_hba.conf asks for scram-sha-256. The serving image may write another pg_hba.conf than the running one. The check reads it from the trial start of PostgreSQL 14.',
    advice: newPasswords,
    says: 'password authentication failed for user "app"',
    shows: 'start',
    run: ({ trial, md5Roles }) =>
      judgeFact(md5Roles, (roles) => {
        if (roles.length === 0) return passed('no role logs in with a password stored as md5');
        if (!trial.known) return untried(trial, afterwards);
        if (!trial.value.started)
          return unknown(
            'Do what the check serving-start says, then run the checks again.',
            'PostgreSQL 14 did not start',
          );
        return judgeLogins(trial.value, roles);
      }),
  },
];

const whetherItStarts =
  'The upgrade shows whether PostgreSQL 14 starts. If it does not, the action restores PostgreSQL 12.';
const afterwards = 'The upgrade tests no login but its own. A role that PostgreSQL 14 refuses fails at its next login.';

const withoutTls =
  'It started without TLS, since the trial gets no private key: whether PostgreSQL 14 takes the certificate and the settings of TLS was not tried.';
/** What PostgreSQL says to a rule `hostssl` while TLS is off. */
const onlyWithTls = 'SSL is disabled';

function judge(trial: Trial, isWithoutTls: boolean): Answer {
  if (!trial.started)
    return failed(
      removeSettings,
      `${trial.image} ended with code ${String(trial.exitCode)} on an empty volume`,
      ...trial.lines,
    );
  const { version, errors, rules, preloaded } = trial.configuration;
  const wrong = [
    ...errors,
    ...rules.flatMap(({ line, error }) =>
      error === null || (isWithoutTls && error.includes(onlyWithTls))
        ? []
        : [`pg_hba.conf line ${String(line)}: ${error}`],
    ),
  ];
  const seen = `PostgreSQL ${version} of ${trial.image} started; shared_preload_libraries: ${preloaded === '' ? 'none' : preloaded}; ${String(rules.length)} rules in pg_hba.conf`;
  const all = isWithoutTls ? [seen, withoutTls] : [seen];
  return wrong.length === 0
    ? passed(...all)
    : warning('Correct these lines: PostgreSQL 14 starts, but ignores them.', ...wrong, ...all);
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
          `${role}: its password is stored as md5, line ${String(rule.line)} of pg_hba.conf in ${image} asks for scram-sha-256`,
        ];
  });
  return refused.length === 0
    ? passed(
        `${String(roles.length)} roles have a password stored as md5, and no rule of ${image} asks for another method`,
      )
    : failed(newPasswords, ...refused);
}

/** Not to try is a choice, or has a good reason. */
function untried(fact: Extract<Known<Trial>, { known: false }>, answerer: string): Answer {
  const { reason, code } = fact;
  return code === notAsked || code === 'not-tried'
    ? notProbed(
        answerer,
        'To be sure, start the serving image with your values in another namespace.',
        `PostgreSQL 14 was not started: ${reason}`,
      )
    : unread(fact);
}
