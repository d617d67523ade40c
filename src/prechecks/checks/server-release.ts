import { firstRelease } from '../../common/versions.ts';
import { copyable, failed, judgeFact, passed, shell, warning } from '../../findings/finding.ts';
import type { Check } from '../../facts/check.ts';

/** As Helm's charts label what they make: `helm.sh/chart: circleci-server-4.9.3`. */
const chart = /^circleci-server-v?(\d+)\.(\d+)\.(\d+)/;

export const serverReleaseChecks: readonly Check[] = [
  {
    id: 'server-release',
    title: 'Release of CircleCI Server',
    expected: `CircleCI Server has release ${firstRelease} or later`,
    subject: 'cluster',
    why: `The vendor's upgrade page and its images of PostgreSQL 14 are for release ${firstRelease} and later. Nobody has tested the applications of older releases with PostgreSQL 14. The check reads the label \`helm.sh/chart\` of the application layer. Tags of images do not name the release. The Secret in which Helm keeps the release also holds all values, so the check does not read it. Where no workload has the label, this only warns. Nothing in the upgrade depends on the release, and a failure would block servers that are all right.`,
    advice: `Look up the release (\`helm list\` shows the chart). If it is older than ${firstRelease}, upgrade CircleCI Server to ${firstRelease} first, as its documentation says, then PostgreSQL.`,
    run: ({ charts, target }) =>
      judgeFact(charts, (labels) => {
        const found = labels.flatMap((label) => {
          const [text, major, minor] = chart.exec(label) ?? [];
          return text === undefined ? [] : [{ label, number: numberOf(Number(major), Number(minor)) }];
        });
        const look = copyable(shell`helm -n ${target.namespace} list`);
        if (found.length === 0)
          return warning(
            `Look up the release (${look} shows the chart). If it is older than ${firstRelease}, upgrade CircleCI Server first.`,
            labels.length === 0
              ? 'no workload of the application layer has the label helm.sh/chart'
              : `no label helm.sh/chart of the application layer names the release: ${labels.join(', ')}`,
          );
        const evidence = found.map(({ label }) => `the application layer has chart ${label}`);
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
