import type { DatabaseFacts } from '../../database/server.ts';
import { failed, judgeFact, passed, worst, type Answer } from '../../findings/finding.ts';
import type { Known } from '../../common/known.ts';
import type { Check } from '../../facts/check.ts';
import type { ImageFacts } from '../../probes/probe.ts';
import { unaskedImage } from './not-probed.ts';

export const localeChecks: readonly Check[] = [
  {
    id: 'encoding-and-locale',
    title: 'Encoding and locale of the new cluster',
    expected: 'The new cluster gets the encoding and locale of the old one',
    subject: 'database',
    why: 'pg_upgrade compares template0, template1 and postgres of both clusters. The new one is made with what template1 has; a database postgres that differs is made anew in it.',
    run: ({ databases }) =>
      judgeFact(databases, (list) => {
        const evidence = list.map(describeDatabase);
        const named = (name: string) => list.find((d) => d.name === name);
        if (named('template1') === undefined)
          return failed('CREATE DATABASE template1 TEMPLATE template0', 'there is no database template1', ...evidence);
        if (named('template0') === undefined)
          return failed(
            'CREATE DATABASE template0 TEMPLATE template1 IS_TEMPLATE true ALLOW_CONNECTIONS false',
            'there is no database template0',
            ...evidence,
          );
        return passed(...evidence);
      }),
  },
  {
    id: 'locales-in-images',
    title: 'Locales in both images',
    expected: 'Both images know every locale that a database uses',
    subject: 'images',
    why: 'A database with a locale that the operating system of the image lacks can be neither upgraded nor opened. initdb is run with each of them in each image.',
    run: ({ upgradeProbe, servingProbe }) =>
      worst(judgeLocales('upgrade image', upgradeProbe), judgeLocales('serving image', servingProbe)),
  },
];

function describeDatabase(d: DatabaseFacts): string {
  return `${d.name}: ${d.encoding}, LC_COLLATE ${d.collate}, LC_CTYPE ${d.ctype}`;
}

const answerer =
  'The Job tells of the upgrade image before it changes anything. The upgrade opens each database with the serving image before the applications may, and 12 comes back where it can not.';

function judgeLocales(name: string, probe: Known<ImageFacts>): Answer {
  if (!probe.known) return unaskedImage(name, probe, answerer);
  const refused = Object.entries(probe.value.initdb).filter(([, answer]) => answer !== 'ok');
  const asked = Object.keys(probe.value.initdb).join('; ');
  if (asked === '') return failed('Look at the log of the probe.', `${name}: initdb was never run`);
  return refused.length === 0
    ? passed(`${name} ${probe.value.image}: ${asked}`)
    : failed(
        'Use an image that has the locale, or move the database to another locale first.',
        ...refused.map(([locale, message]) => `${name} ${probe.value.image}: ${locale}: ${message}`),
      );
}
