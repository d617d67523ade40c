import type { DatabaseFacts } from '../../database/server.ts';
import { connectCommand } from '../../database/script.ts';
import { failed, judgeFact, passed, psqlRemedy, shell, worst, type Answer } from '../../findings/finding.ts';
import type { Known } from '../../common/known.ts';
import type { Check } from '../../facts/check.ts';
import type { Facts } from '../../facts/facts.ts';
import type { ImageFacts } from '../../probes/probe.ts';
import { unaskedImage } from './not-probed.ts';

const otherLocale = 'Use an image that has the locale, or move the database to another locale first.';

export const localeChecks: readonly Check[] = [
  {
    id: 'encoding-and-locale',
    title: 'Encoding and locale of the new cluster',
    expected: 'The new cluster gets the encoding and locale of the old one',
    subject: 'database',
    why: 'pg_upgrade compares template1 and postgres of both clusters, since these are in both and accept connections. It does not look at template0: the new cluster has its own. The Job creates the new cluster with the encoding and locale of template1. It creates the database postgres again where that one differs.',
    advice: 'Create template1 where it is missing; the check prints the command.',
    run: ({ databases }) =>
      judgeFact(databases, (list) => {
        const evidence = list.map(describeDatabase);
        if (list.every(({ name }) => name !== 'template1'))
          return failed(
            psqlRemedy('Create the database.', [
              [connectCommand('postgres'), 'CREATE DATABASE template1 TEMPLATE template0 IS_TEMPLATE true;'],
            ]),
            'there is no database template1',
            ...evidence,
          );
        return passed(...evidence);
      }),
  },
  {
    id: 'locales-in-images',
    title: 'Locales in both images',
    expected: 'Both images have every locale that a database uses',
    subject: 'images',
    why: 'An image may lack the locale of a database. Its PostgreSQL can then neither upgrade nor open the database. The check runs initdb with each locale in each image.',
    advice: otherLocale,
    run: ({ upgradeProbe, servingProbe }) =>
      worst(judgeLocales('upgrade image', upgradeProbe), judgeLocales('serving image', servingProbe)),
  },
];

/** For each image, a command that lists its locales, by a pod that Pod Security `restricted` admits. */
export function listLocales({ inputs, target, upgradeImage, serving }: Facts): string[] {
  const secrets = (target.statefulSet.spec?.template.spec?.imagePullSecrets ?? []).map(({ name = '' }) => name);
  const names = [...new Set([...secrets, inputs.imagePullSecret])].filter((name) => name !== '');
  return [...new Set([upgradeImage, serving.reference])].map((image, index) => {
    const pod = `locales-${String(index + 1)}`;
    const spec = {
      securityContext: { runAsNonRoot: true, runAsUser: target.userId, seccompProfile: { type: 'RuntimeDefault' } },
      imagePullSecrets: names.map((name) => ({ name })),
      containers: [
        { name: pod, securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } },
      ],
    };
    return shell`kubectl -n ${target.namespace} run ${pod} --rm -i --restart=Never --image=${image} --override-type=strategic --overrides=${JSON.stringify({ spec })} --command -- locale -a`;
  });
}

function describeDatabase(d: DatabaseFacts): string {
  return `${d.name}: ${d.encoding}, LC_COLLATE ${d.collate}, LC_CTYPE ${d.ctype}`;
}

const answerer =
  'The Job reports what the upgrade image lacks before it changes anything. The upgrade opens each database with the serving image before it restarts the applications. Where that fails, the action restores PostgreSQL 12.';

function judgeLocales(name: string, probe: Known<ImageFacts>): Answer {
  if (!probe.known) return unaskedImage(name, probe, answerer);
  const refused = Object.entries(probe.value.initdb).filter(([, answer]) => answer !== 'ok');
  const asked = Object.keys(probe.value.initdb).join('; ');
  if (asked === '')
    return failed(
      'Make sure that it is an image of PostgreSQL, then run the checks again.',
      `${name}: initdb was never run`,
    );
  return refused.length === 0
    ? passed(`${name} ${probe.value.image}: ${asked}`)
    : failed(otherLocale, ...refused.map(([locale, message]) => `${name} ${probe.value.image}: ${locale}: ${message}`));
}
