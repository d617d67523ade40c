import type { ExtensionFacts } from '../database/server.ts';
import type { ImageFacts } from '../job/probe.ts';
import { isSameMajor } from '../upgrade/extension-versions.ts';
import { failed, given, passed, warning, worst, type Answer, type Check, type Known } from './finding.ts';
import { besidesClosed } from './closed-databases.ts';
import { unaskedImage } from './unasked.ts';

export const extensionChecks: readonly Check[] = [
  {
    id: 'extensions',
    title: 'Extensions in the serving image',
    subject: 'images',
    why: 'The serving image runs the extensions from the upgrade on, so it needs the control file and the libraries of each. The upgrade image needs the libraries alone: pg_upgrade enters an extension into the new catalog without CREATE EXTENSION (binary_upgrade_create_empty_extension), and restores its objects one by one. The checks libraries and replay ask it for those. After the upgrade the action updates each extension within its own major (ALTER EXTENSION … UPDATE). Where the image ships another major, this is left to you, since a new major may take away what the applications use: pg_partman 5 has no trigger-based partitioning any more.',
    run: ({ extensions, databases, servingProbe }) =>
      besidesClosed(
        databases,
        given(extensions, (byDatabase) => {
          const inventory = Object.entries(byDatabase).map(
            ([database, list]) => `${database}: ${list.map((e) => `${e.name} ${e.version}`).join(', ') || 'none'}`,
          );
          const answer = judge('serving image', servingProbe, byDatabase);
          return { ...answer, evidence: [...answer.evidence, ...inventory] };
        }),
      ),
  },
];

const answerer =
  'pg_upgrade --check tells in the Job, before it changes anything, which libraries the upgrade image lacks. What the serving image lacks is seen by whoever uses it.';

type ByDatabase = Readonly<Record<string, readonly ExtensionFacts[]>>;

function judge(name: string, probe: Known<ImageFacts>, byDatabase: ByDatabase): Answer {
  if (!probe.known) return unaskedImage(name, probe, answerer);
  const { image, extensions: available } = probe.value;
  if (Object.keys(available).length === 0)
    return failed('Look at the log of the probe.', `${name} ${image}: its server could not be asked`);
  const installed = Object.entries(byDatabase).flatMap(([database, list]) => list.map((e) => ({ ...e, database })));
  const missing = Map.groupBy(
    installed.filter((e) => available[e.name] === undefined),
    (e) => e.name,
  );
  const majors = installed.flatMap((e) => {
    const shipped = available[e.name] ?? e.version;
    return shipped === e.version || isSameMajor(e.version, shipped) ? [] : [{ ...e, shipped }];
  });
  const names = [...new Set(installed.map((e) => e.name))].sort();
  const seen =
    missing.size === 0
      ? passed(`${name} ${image}: has all of ${names.join(', ')}`)
      : failed(
          'Drop the extension where it is not needed (DROP EXTENSION), or use images that ship it.',
          ...[...missing].map(
            ([extension, of]) =>
              `${name} ${image}: lacks ${extension}, installed in ${of.map(({ database }) => database).join(', ')}`,
          ),
        );
  if (majors.length === 0) return seen;
  return worst(
    seen,
    warning(
      'Nothing has to be done before the upgrade. The extension stays within its major; the report has the command for the rest. Or use a serving image that ships the same major.',
      ...majors.map(
        (e) => `${name} ${image}: ships ${e.name} ${e.shipped}; ${e.database} has ${e.version}, which is another major`,
      ),
    ),
  );
}
