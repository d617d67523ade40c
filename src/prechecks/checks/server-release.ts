import { firstRelease } from '../../common/versions.ts';
import { copyable, failed, judgeFact, passed, shell, warning } from '../../findings/finding.ts';
import type { Check } from '../../facts/check.ts';

/** As Helm's charts label what they make: `helm.sh/chart: circleci-server-4.9.3`. */
const chart = /^circleci-server-v?(\d+)\.(\d+)\.(\d+)/;

export const serverReleaseChecks: readonly Check[] = [
  {
    id: 'server-release',
    title: 'Release of CircleCI Server',
    expected: `CircleCI Server is of release ${firstRelease} or later`,
    subject: 'cluster',
    why: `The vendor's way to 14 is for release ${firstRelease} and later, and its images of 14 are theirs: nobody has tried the applications of older releases with it. Told by the label \`helm.sh/chart\` of the application layer; tags of images do not tell the release, and the Secret in which Helm has it holds all values besides, so it is not read. Where no workload has the label this only warns: nothing that the upgrade does depends on the release, and it would block servers that are all right.`,
    run: ({ charts, target }) =>
      judgeFact(charts, (labels) => {
        const found = labels.flatMap((label) => {
          const [text, major, minor] = chart.exec(label) ?? [];
          return text === undefined ? [] : [{ label, number: numberOf(Number(major), Number(minor)) }];
        });
        const look = copyable(shell`helm -n ${target.namespace} list`);
        if (found.length === 0)
          return warning(
            `Look which release it is (${look} shows the chart), and upgrade CircleCI Server first where it is older than ${firstRelease}.`,
            labels.length === 0
              ? 'no workload of the application layer has the label helm.sh/chart'
              : `no label helm.sh/chart of the application layer tells the release: ${labels.join(', ')}`,
          );
        const evidence = found.map(({ label }) => `the application layer is of chart ${label}`);
        const [major = 0, minor = 0] = firstRelease.split('.').map(Number);
        return found.some(({ number }) => number < numberOf(major, minor))
          ? failed(
              `Upgrade CircleCI Server to ${firstRelease} first, as its documentation says, then PostgreSQL.`,
              ...evidence,
            )
          : passed(...evidence);
      }),
  },
];

function numberOf(major: number, minor: number): number {
  return major * 1000 + minor;
}
