import type { ExtensionFacts } from '../../database/server.ts';
import { minorOf, type ImageFacts } from '../../probes/probe.ts';
import { upgrade } from '../../common/versions.ts';
import { dangerOfUpdate, isSameMajor } from '../../database/extension-versions.ts';
import { failed, judgeFact, passed, warning, worst, type Answer } from '../../findings/finding.ts';
import type { Known } from '../../common/known.ts';
import type { Check } from '../../facts/check.ts';
import { besidesClosed } from '../../findings/closed-databases.ts';
import { unaskedImage } from './not-probed.ts';

export const extensionChecks: readonly Check[] = [
  {
    id: 'extensions',
    title: 'Extensions in the serving image',
    expected:
      'The serving image has the same major version of every extension that a database uses, and the action can update it',
    subject: 'images',
    why: "The serving image runs the extensions after the upgrade, so it needs the control file and the libraries of each. The upgrade image needs the libraries alone. pg_upgrade enters an extension into the new catalog without CREATE EXTENSION (binary_upgrade_create_empty_extension). It restores the objects of the extension one by one. The checks libraries and restore-test ask the upgrade image for those. After the upgrade, the action updates each extension within its own major version (ALTER EXTENSION … UPDATE). It leaves two kinds of update to you. One is an update to another major version. It may remove what the applications use: pg_partman 5 has no trigger-based partitioning any more. The other is an update whose script could run code of a role without the superuser's rights. That is possible where the serving image is older than 14.5 (CVE-2022-2625). It is also possible where the script searches a schema with a function, operator or type of such a role. PostgreSQL or the extension must have an object of the same name.",
    advice:
      'Where the image lacks an extension, use images that ship it. Or drop the extension (DROP EXTENSION) if nobody needs it. A warning needs nothing before the upgrade: the report has the command for the update. Or use a serving image of PostgreSQL 14.5 or later that ships the same major version. Then remove the objects that the check names.',
    run: ({ extensions, databases, servingProbe }) =>
      besidesClosed(
        databases,
        judgeFact(extensions, (byDatabase) => {
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
  'pg_upgrade reports in the Job, before it transfers any file, which libraries the upgrade image lacks. Nothing in the upgrade detects an extension that the serving image lacks: whoever uses it gets errors afterwards.';

type ByDatabase = Readonly<Record<string, readonly ExtensionFacts[]>>;

function judge(name: string, probe: Known<ImageFacts>, byDatabase: ByDatabase): Answer {
  if (!probe.known) return unaskedImage(name, probe, answerer);
  const { image, newVersion, extensions: available } = probe.value;
  if (Object.keys(available).length === 0)
    return failed(
      'Make sure that it is an image of PostgreSQL, then run the checks again.',
      `${name} ${image}: its server gave no answer`,
    );
  const installed = Object.entries(byDatabase).flatMap(([database, list]) => list.map((e) => ({ ...e, database })));
  const missing = Map.groupBy(
    installed.filter((e) => available[e.name] === undefined),
    (e) => e.name,
  );
  const majors = installed.flatMap((e) => {
    const shipped = available[e.name] ?? e.version;
    return shipped === e.version || isSameMajor(e.version, shipped) ? [] : [{ ...e, shipped }];
  });
  const minor = minorOf(newVersion);
  const serverVersion = minor === undefined ? 0 : upgrade.to * 10000 + minor;
  const left = installed.flatMap((e) => {
    const shipped = available[e.name] ?? e.version;
    const danger =
      shipped === e.version || !isSameMajor(e.version, shipped) ? undefined : dangerOfUpdate(e, serverVersion);
    return danger === undefined ? [] : [{ ...e, shipped, danger }];
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
  const safe =
    left.length === 0
      ? seen
      : worst(
          seen,
          warning(
            'Nothing needs to be done before the upgrade. The action does not update the extension; the report has the command. Or remove what the check names, and use a serving image of PostgreSQL 14.5 or later.',
            ...left.map((e) => `${e.database}: ${e.name} ${e.version} is not updated to ${e.shipped}: ${e.danger}`),
          ),
        );
  if (majors.length === 0) return safe;
  return worst(
    safe,
    warning(
      'Nothing needs to be done before the upgrade. The extension stays within its major version; the report has the command for the rest. Or use a serving image that ships the same major version.',
      ...majors.map(
        (e) =>
          `${name} ${image}: ships ${e.name} ${e.shipped}; ${e.database} has ${e.version}, which is another major version`,
      ),
    ),
  );
}
