/** Every output of the action; action.yml and docs/inputs.md come from here (`npm run generate`). */
export const outputTable = {
  verdict:
    '`passed`, `warning`, `failed`, `unknown` or `already-upgraded` for a precheck; `upgraded`, `already-upgraded`, `reverted`, `interrupted` (run again to resume), `failed` or `unknown` for an upgrade; `rolled-back`, `interrupted` or `failed` for a rollback; `cleaned-up`, `passed` (a dry run that found nothing in the way) or `failed` for a cleanup; `not-started`, `unfinished` or `upgraded` for `mode: status`; `proposed`, `up-to-date`, `declined` or `failed` for `mode: values`.',
  failedChecks: 'Ids of the checks that failed and are not ignored, with commas between them.',
  unknownChecks: 'Ids of the checks that are unknown and not ignored, with commas between them.',
  report: 'Path of the JSON report of this run; its JSON Schema is `docs/report.schema.json`.',
  imageRegistry: 'Registry of the PostgreSQL 14 image, as `postgresql.image.registry` takes it.',
  imageRepository: 'Repository of the PostgreSQL 14 image, as `postgresql.image.repository` takes it.',
  imageTag: 'Tag of the PostgreSQL 14 image, as `postgresql.image.tag` takes it.',
  image:
    'The three joined: the image that PostgreSQL runs after the upgrade. After a rollback, these four outputs name the image of PostgreSQL 12.',
  snapshot: 'Name of the VolumeSnapshot taken during the downtime.',
  backup:
    'Kind and name of the object that holds the volume as it was before the upgrade, for example `VolumeSnapshot data-…`.',
  downtimeSeconds: 'Seconds from the stop of the first application until the last one is ready again.',
  predictedDowntimeSeconds:
    'For a dry run of an upgrade: seconds that the downtime is predicted to take. Not set where a step of it cannot be predicted; the report names the step.',
  predictedDowntimeRange:
    'With it: the least and the most seconds that the downtime is predicted to take, as in `24-41`.',
  freedBytes:
    "For `mode: cleanup`: how many bytes more the server's volume has free, as measured. Snapshots and other volumes are not in it.",
  step: 'For `mode: status`: the last step of an unfinished upgrade.',
  holder: 'For `mode: status`: address of the run that holds the upgrade, or held it when it died.',
  next: 'For `mode: status`: what to run next.',
  pullRequestOperation:
    '`created`, `updated`, `none` (nothing to do) or `closed` (somebody closed it unmerged, and the action left it closed).',
  pullRequestNumber: 'Number of the pull request for `values-file`.',
  pullRequestUrl: 'Address of the pull request.',
  pullRequestHeadSha: "Commit at which the pull request's branch is.",
  issueOperation:
    'With `issue`: `created`, `updated`, `closed`, `reopened`, `none` (nothing to do) or `failed` (a warning says why).',
  issueNumber: 'Number of the issue about the prechecks.',
  issueUrl: 'Address of that issue.',
} as const;

export type OutputName = keyof typeof outputTable;
