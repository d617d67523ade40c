import { withoutDigest } from '../../common/image.ts';
import { upgrade } from '../../common/versions.ts';
import type { Facts } from '../../facts/facts.ts';
import {
  failed,
  judgeFact,
  passed,
  shell,
  shellRemedy,
  unknown,
  type Answer,
  type Remedy,
} from '../../findings/finding.ts';
import type { Check } from '../../facts/check.ts';

/** One place that says which PostgreSQL is started on the data, or wrote it. */
interface Saying {
  /** For people, with what it says. */
  readonly place: string;
  readonly major: number | undefined;
  /** It was to be read, and could not be. */
  readonly isUnread?: true;
}

export const majorsChecks: readonly Check[] = [
  {
    id: 'majors',
    title: 'Major version at the next start of PostgreSQL',
    expected: `The next start of PostgreSQL runs PostgreSQL ${String(upgrade.from)} on data of PostgreSQL ${String(upgrade.from)}`,
    subject: 'target',
    why: `A pod template or a values file may name another major version than the data directory has. The next restart or \`helm upgrade\` then starts that version, and it does not come up. In the middle of the upgrade it would be a second server. The check compares the data directory, the running server and the pod template. Where \`values-file\` is given, it also reads which image the next \`helm upgrade\` renders. It takes the major version from the first number of the tag. The finding says so where a tag has none.`,
    advice:
      "Do not restart PostgreSQL, and deploy nothing, until they agree. Set the image that runs again in the pod template, and name it in the values file. The upgrade's pull request sets the new image. Where the running server differs from the data directory, find out first which directory it uses (`SHOW data_directory` in psql).",
    run: (facts) =>
      judgeFact(facts.server, (server) =>
        judgeFact(facts.files, ({ dataVersion }) => {
          const running = Math.floor(server.versionNumber / 10000);
          const data = {
            place: `the data directory has ${dataVersion === '' ? 'no version' : `version ${dataVersion}`} (PG_VERSION)`,
            major: Number(dataVersion),
          };
          const served = { place: `the running server is PostgreSQL ${server.version}`, major: running };
          const [template, values] = [templateOf(facts, running), valuesOf(facts, running)];
          const all = [data, served, template, values];
          const evidence = all.map(({ place }) => place);
          const differs = ({ major }: Saying) => major !== undefined && major !== data.major;
          if (differs(template)) return failed(templateRemedy(facts), ...evidence);
          if (differs(values)) return { ...failed(valuesRemedy(facts), ...evidence), ...placeOf(facts) };
          if (differs(served)) return serverDiffers(evidence);
          return values.isUnread === true
            ? unknown('Do what the check "values-file" says, then run the checks again.', ...evidence)
            : passed(...evidence);
        }),
      ),
  },
];

function serverDiffers(evidence: readonly string[]): Answer {
  return failed(
    'Find out which data directory the server uses (`SHOW data_directory` in psql) before you do anything else.',
    ...evidence,
  );
}

/** The image in the pod template; that of the running pod is what runs, whatever its tag says. */
function templateOf({ target }: Facts, running: number): Saying {
  const image = target.container.image ?? '';
  const inPod = target.pod?.spec?.containers.find(({ name }) => name === target.container.name)?.image;
  const major = inPod === image ? running : majorOfTag(image);
  return { place: `the pod template names ${said(image, major)}`, major };
}

function valuesOf({ pullRequest, target, inputs }: Facts, running: number): Saying {
  if (pullRequest === undefined)
    return {
      place: 'what the next "helm upgrade" renders was not read ("values-file" is not given)',
      major: undefined,
    };
  const names = pullRequest.find(({ id }) => id === 'values-file')?.names;
  if (names === undefined) return { place: `${inputs.valuesFile} was not read`, major: undefined, isUnread: true };
  if (names === '') return { place: `${inputs.valuesFile} names no tag: the chart renders its own`, major: undefined };
  const image = target.container.image ?? '';
  const major = image === names || image.endsWith(`:${names}`) ? running : majorOfTag(names);
  return { place: `${inputs.valuesFile} names ${said(names, major)}`, major };
}

/** The line of the values file that names the image. */
function placeOf({ pullRequest }: Facts): Pick<Answer, 'place'> {
  const place = pullRequest?.find(({ id }) => id === 'values-file')?.place;
  return place === undefined ? {} : { place };
}

function said(image: string, major: number | undefined): string {
  return `${image} (${major === undefined ? 'its tag does not name the major version' : `PostgreSQL ${String(major)}`})`;
}

/** Of `registry/repository:14.22.4094-4922444`, or a tag alone; undefined for a digest, a name or a date. */
function majorOfTag(image: string): number | undefined {
  const number = /(?:^|:)v?(\d+)(?:[.-][^:/@]*)?$/.exec(withoutDigest(image))?.[1];
  const major = Number(number);
  return number !== undefined && major >= 9 && major < 30 ? major : undefined;
}

function templateRemedy({ target, inputs }: Facts): Remedy {
  const pod = target.pod?.spec?.containers.find(({ name }) => name === target.container.name)?.image;
  const back = shell`kubectl -n ${inputs.namespace} set image statefulset/${target.name} ${target.container.name}=${pod ?? 'IMAGE-OF-12'}`;
  return shellRemedy(
    'Do not restart PostgreSQL: it would start with the image of the pod template. Set the image that runs again. Where the StatefulSet rolls by itself, the command restarts PostgreSQL.',
    back,
  );
}

function valuesRemedy({ target }: Facts): string {
  return `Deploy nothing from this file before the upgrade: its image can't read the data. Name the image that runs in the file again (${target.container.image ?? ''}). The upgrade's pull request sets the new image. Must the file stay, and nobody deploys until the upgrade is done? Then add a line "majors: nothing is deployed until then" to "ignore-checks".`;
}
