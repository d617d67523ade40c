import type { ImageFacts } from '../job/probe.ts';
import { upgrade } from '../versions.ts';
import { failed, given, passed, worst, type Answer, type Check, type Known } from './finding.ts';
import { besidesClosed } from './closed-databases.ts';
import { unaskedImage } from './unasked.ts';

export const extensionChecks: readonly Check[] = [
  {
    id: 'extensions',
    title: `Every extension of every database has a PostgreSQL ${String(upgrade.to)} build in both images`,
    subject: 'images',
    why: "pg_upgrade refuses a database whose extension the new installation lacks, and a server without its library can't run what uses it.",
    run: ({ extensions, databases, upgradeProbe, servingProbe }) =>
      besidesClosed(
        databases,
        given(extensions, (byDatabase) => {
          const inventory = Object.entries(byDatabase).map(
            ([database, list]) => `${database}: ${list.map((e) => `${e.name} ${e.version}`).join(', ') || 'none'}`,
          );
          const needed = new Map<string, string[]>();
          for (const [database, list] of Object.entries(byDatabase)) {
            for (const { name } of list) needed.set(name, [...(needed.get(name) ?? []), database]);
          }
          const answer = worst(
            judge('upgrade image', upgradeProbe, needed),
            judge('serving image', servingProbe, needed),
          );
          return { ...answer, evidence: [...answer.evidence, ...inventory] };
        }),
      ),
  },
];

const answerer =
  'pg_upgrade --check tells in the Job, before it changes anything, which libraries the upgrade image lacks. What the serving image lacks is seen by whoever uses it.';

function judge(name: string, probe: Known<ImageFacts>, needed: ReadonlyMap<string, readonly string[]>): Answer {
  if (!probe.known) return unaskedImage(name, probe, answerer);
  const { image, extensions } = probe.value;
  const available = Object.keys(extensions);
  if (available.length === 0)
    return failed('Look at the log of the probe.', `${name} ${image}: its server could not be asked`);
  const missing = [...needed].filter(([extension]) => !available.includes(extension));
  return missing.length === 0
    ? passed(`${name} ${image}: has all of ${[...needed.keys()].sort().join(', ')}`)
    : failed(
        'Drop the extension where it is not needed (DROP EXTENSION), or use images that ship it.',
        ...missing.map(
          ([extension, databases]) => `${name} ${image}: lacks ${extension}, installed in ${databases.join(', ')}`,
        ),
      );
}
