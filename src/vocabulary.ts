import { inputTable } from './inputs/inputs.ts';
import { inputName } from './common/input-name.ts';
import { outputTable } from './common/outputs.ts';
import { catalogue } from './prechecks/catalogue.ts';

/** Passwords that are first names of something which is told all the time. */
const words = [
  ...[
    'postgres',
    'postgresql',
    'bitnami',
    'circle',
    'circleci',
    'circleci-server',
    'cciserver',
    'kubernetes',
    'default',
  ],
  ...['admin', 'administrator', 'root', 'superuser', 'test', 'secret', 'password', 'token', 'changeme', 'database'],
  ...['precheck', 'upgrade', 'rollback', 'status', 'values', 'unexpected', 'warning', 'passed', 'failed', 'unknown'],
  ...['upgraded', 'already-upgraded', 'reverted', 'rolled-back', 'interrupted', 'proposed', 'up-to-date', 'declined'],
  ...['not-started', 'unfinished', 'created', 'updated', 'closed', 'reopened', 'clone', 'link', 'copy', 'snapshot'],
  ...['cleanup', 'cleaned-up'],
  ...['rehearse', 'rehearsal', 'rehearsed'],
  ...['namespace', 'StatefulSet', 'PersistentVolumeClaim', 'VolumeSnapshot', 'ConfigMap', 'Deployment', 'https://'],
];

/** All that stands in logs and reports of any run, in lower case. */
export const vocabulary: readonly string[] = [
  ...words,
  ...Object.keys(inputTable).map(inputName),
  ...Object.keys(outputTable),
  ...catalogue.flatMap(({ id, title }) => [id, title]),
].map((text) => text.toLowerCase());
