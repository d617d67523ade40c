import type { UnmaskedSecret } from '../../ports/runner.ts';
import { passed, warning } from '../../findings/finding.ts';
import type { Check } from '../../facts/check.ts';

const reasons: Readonly<Record<UnmaskedSecret['why'], string>> = {
  short: 'is too short to be masked',
  common: 'is a word that logs and reports use, so it is not masked',
};

const advice =
  "Change the secret to a long random text. Change the superuser's password after the upgrade, in PostgreSQL, in its Secret and in the chart's values together. Until then, show logs and reports of this run only to people who may know the secret.";

export const secretMaskingChecks: readonly Check[] = [
  {
    id: 'secret-masking',
    title: 'Masking of secrets',
    expected: 'Every secret of this run is masked',
    subject: 'access',
    why: "The action masks its secrets in the log, in the summary, in the report and in its texts at GitHub. It can't mask a word such as postgres: every text would become unreadable, and the gaps would disclose the word.",
    advice,
    run: ({ unmaskedSecrets }) =>
      unmaskedSecrets.length === 0
        ? passed('every secret of this run is masked')
        : warning(advice, ...unmaskedSecrets.map(({ name, why }) => `${name} ${reasons[why]}`)),
  },
];
