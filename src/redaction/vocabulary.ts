import { inputName, inputTable } from '../inputs/inputs.ts';
import { outputTable } from '../common/outputs.ts';
import { catalogue } from '../prechecks/catalogue.ts';

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
  ...['namespace', 'StatefulSet', 'PersistentVolumeClaim', 'VolumeSnapshot', 'ConfigMap', 'Deployment', 'https://'],
];

let texts: readonly string[] | undefined;

/**
 * Whether a secret is a word, or a part of one, that stands in logs and reports anyway.
 * @param among further names that are told
 */
export function isCommon(secret: string, among: readonly string[]): boolean {
  // Not before it is asked for: the catalogue is read later than this file.
  texts ??= [
    ...words,
    ...Object.keys(inputTable).map(inputName),
    ...Object.keys(outputTable),
    ...catalogue.flatMap(({ id, title }) => [id, title]),
  ].map((text) => text.toLowerCase());
  const lower = secret.toLowerCase();
  return texts.some((text) => text.includes(lower)) || among.some((name) => name.toLowerCase().includes(lower));
}
