import {
  choice,
  duration,
  durationIfGiven,
  durationOrNone,
  flag,
  pointInTime,
  script,
  type Input,
  type Mode,
} from './input-types.ts';

const modes: readonly Mode[] = ['upgrade'];
const commands = ['before-applications', 'after-applications'];

/**
 * What an upgrade must meet before it stops anything, its rehearsal, and what it runs for the administrator; rows of the table of inputs.
 * Decision: docs/decisions/0033-gates-and-hooks.md
 */
export const gatesAndHooks = {
  startBefore: pointInTime({
    description:
      "A time with its offset from UTC, such as `2026-12-01T22:30Z`. The downtime must begin before it, by the API server's clock. A run that comes later refuses and stops nothing, for example if its approval came too late. Empty: any time.",
    modes,
  }),
  maxDowntime: durationIfGiven({
    description:
      'The longest downtime that you accept, such as `20m`. The run refuses and stops nothing if the prediction is longer, or lacks a step of the downtime. Empty: any length.',
    modes,
  }),
  rehearsal: choice(['auto', 'required', 'off'], {
    default: 'auto',
    description:
      'Whether the upgrade needs a passed `mode: rehearse` of the same server. `required`: it does not begin without one. `auto`: the log says whether there is one. `off`: not asked.',
    modes,
  }),
  rehearsalValid: duration({
    default: '24h',
    description:
      'For how long a rehearsal counts. It counts no more once server, schema, roles, settings or images have changed.',
    modes,
    needs: ['rehearsal: auto', 'rehearsal: required'],
  }),
  amcheckBudget: durationOrNone({
    default: '10m',
    description:
      'How long a rehearsal looks for damaged pages with amcheck, the smallest tables and indexes first. All databases share that time. `0s`: it does not look. The finding is then unknown, and does not block.',
    modes: ['rehearse'],
  }),
  beforeApplicationsSql: script('SQL', {
    description:
      'SQL for psql. The action runs it as the superuser when PostgreSQL 14 is validated, before it restarts the applications. It begins in the database `postgres`; `\\connect NAME` goes to another one. If it fails, the action restores PostgreSQL 12.',
    modes,
  }),
  beforeApplications: script('commands', {
    description:
      'Commands for bash. The action runs them on the runner when PostgreSQL 14 is validated, before it restarts the applications. If they fail, the action restores PostgreSQL 12.',
    modes,
  }),
  afterApplications: script('commands', {
    description:
      'Commands for bash. The action runs them on the runner when the applications are ready again, for example to trigger a workflow in CircleCI. If they fail, the run fails, but PostgreSQL 14 goes on serving. The error says how to go back.',
    modes,
  }),
  hookTimeout: duration({
    default: '10m',
    description:
      'Limit for each of `before-applications-sql`, `before-applications` and `after-applications`. Beyond it the action ends it, and it counts as failed.',
    modes,
    needs: ['before-applications-sql', ...commands],
  }),
  hookPassword: flag({
    description:
      "Consent to give the superuser's password to `before-applications` and `after-applications`, in the variable `PGPASSWORD`. Without it they get names and addresses only.",
    modes,
    needs: commands,
  }),
} satisfies Record<string, Input<unknown>>;
