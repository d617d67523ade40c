import type { Libraries } from '../../database/libraries.ts';
import { connectCommand } from '../../database/script.ts';
import type { ImageFacts } from '../../probes/probe.ts';
import {
  failed,
  judgeFact,
  passed,
  psqlRemedy,
  unknown,
  worst,
  type Answer,
  type Remedy,
} from '../../findings/finding.ts';
import type { Known } from '../../common/known.ts';
import type { Check } from '../../facts/check.ts';
import { besidesClosed } from '../../findings/closed-databases.ts';
import { unaskedImage } from './not-probed.ts';

/** One library and one place that needs it. */
interface Want {
  readonly library: string;
  /** What uses it, and where; for people. */
  readonly user: string;
  /** Commands for psql that remove the use, and the database to run them in; none where only the chart can change it. */
  readonly database: string;
  readonly commands: readonly string[];
  /** Loaded by the postmaster: only the serving image, which reads the configuration, needs it. */
  readonly isShared: boolean;
}

export const libraryChecks: readonly Check[] = [
  {
    id: 'libraries',
    title: 'Libraries in both images',
    expected: 'Both images load every library that the server uses',
    subject: 'images',
    why: "C functions name files of libraries. So do settings that load libraries into the server or its sessions. pg_upgrade loads each library of a function in the new cluster. It fails where one is missing, or belongs to another version. PostgreSQL refuses a session, also one of pg_upgrade, that can't load what its role or database names. So the check has PostgreSQL 14 of each image load all of them. It also starts PostgreSQL 14 of the serving image with those of shared_preload_libraries.",
    advice:
      "Use an image that has the library for PostgreSQL 14, or remove what uses it; the check prints the commands. Change what the configuration loads in the chart's values.",
    says: 'Your installation references loadable libraries that are missing from the new installation; could not access file "$libdir/legacy": No such file or directory',
    shows: 'check',
    run: ({ libraries, databases, upgradeProbe, servingProbe }) =>
      besidesClosed(
        databases,
        judgeFact(libraries, (of) => {
          const wants = wantsOf(of);
          if (wants.length === 0) return passed('no function and no setting names a library');
          return worst(
            judge(
              'upgrade image',
              upgradeProbe,
              wants.filter((w) => !w.isShared),
            ),
            judge('serving image', servingProbe, wants),
          );
        }),
      ),
  },
];

function wantsOf({ used, preloaded }: Libraries): Want[] {
  return [
    ...Object.entries(used).flatMap(([database, list]) =>
      list.map(({ library, uses, names, drop }) => {
        const more = uses > names.length ? ` and ${String(uses - names.length)} more` : '';
        const user = `${database}: ${names.join(', ')}${more}`;
        return { library, user, database, commands: drop, isShared: false };
      }),
    ),
    ...preloaded.map(({ setting, who, library, reset }) => ({
      library,
      user: `${setting} of ${who}`,
      database: 'template1',
      commands: reset === '' ? [] : [reset],
      isShared: setting === 'shared_preload_libraries',
    })),
  ];
}

const answerer =
  'pg_upgrade reports in the Job, before it transfers any file, what the upgrade image lacks. The upgrade shows whether PostgreSQL 14 of the serving image starts. If it does not, the action restores PostgreSQL 12. A function without its library fails when somebody calls it.';

function judge(name: string, probe: Known<ImageFacts>, wants: readonly Want[]): Answer {
  if (wants.length === 0) return passed();
  if (!probe.known) return unaskedImage(name, probe, answerer);
  const { image, libraries, preloads } = probe.value;
  const asked = wants.map((want) => ({ ...want, said: (want.isShared ? preloads : libraries)[want.library] }));
  const refused = asked.filter(({ said }) => said !== undefined && said !== 'ok');
  const silent = asked.filter(({ said }) => said === undefined);
  const loaded = [...new Set(asked.filter(({ said }) => said === 'ok').map(({ library }) => library))].sort();
  const seen = loaded.length > 0 ? [`${name} ${image}: loads ${loaded.join(', ')}`] : [];
  const answer =
    refused.length > 0
      ? failed(
          remedy(refused),
          ...refused.map((w) => `${name} ${image}: ${w.library}: ${String(w.said)}; ${w.user}`),
          ...seen,
        )
      : passed(...seen);
  if (silent.length === 0) return answer;
  const unanswered = silent.map(
    ({ library, user }) => `${name} ${image}: no answer whether it loads ${library}; ${user}`,
  );
  return worst(answer, unknown('Do what the check locales-in-images says, then run the checks again.', ...unanswered));
}

function remedy(refused: readonly Want[]): Remedy {
  const words = ['Use an image that has the library for PostgreSQL 14, or remove what uses it.'];
  if (refused.some(({ commands }) => commands.length === 0))
    words.push("Change what the configuration loads in the chart's values.");
  const places = Map.groupBy(
    refused.filter(({ commands }) => commands.length > 0),
    ({ database }) => database,
  );
  const sessions = [...places].map(([database, of]) => [
    connectCommand(database),
    ...new Set(of.flatMap((want) => want.commands)),
  ]);
  return psqlRemedy(words.join(' '), sessions);
}
