import type { UnmaskedSecret } from '../../ports/runner.ts';
import { passed, warning } from '../../findings/finding.ts';
import type { Check } from '../../facts/check.ts';

const reasons: Readonly<Record<UnmaskedSecret['why'], string>> = {
  short: 'is too short to be masked',
  common: 'is a word that logs and reports use, so it is not masked',
};

export const secretMaskingChecks: readonly Check[] = [
  {
    id: 'secret-masking',
    title: 'Masking of secrets',
    expected: 'Every secret of this run is masked',
    subject: 'access',
    why: 'The action masks its secrets in the log, the summary, the report and its texts at GitHub. A word such as postgres can not be masked: all texts would become unreadable, and the gaps would tell the word.',
    run: ({ unmaskedSecrets }) =>
      unmaskedSecrets.length === 0
        ? passed('every secret of this run is masked')
        : warning(
            "Change it to a long random one; the superuser's password after the upgrade, in PostgreSQL, its Secret and the values of the chart together. Until then, show logs and reports of this run only to people who may know it.",
            ...unmaskedSecrets.map(({ name, why }) => `${name} ${reasons[why]}`),
          ),
  },
];
