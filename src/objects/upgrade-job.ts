import type { V1EnvVar, V1Job, V1ResourceRequirements } from '@kubernetes/client-node';
import { upgradeOptions } from '../database/session-options.ts';
import type { Target } from '../target/target.ts';
import { upgrade } from '../common/versions.ts';
import { bootstrapCommand, bootstrapVariables } from './bootstrap.ts';
import { ownerLabel, passwd, podTemplate } from './pod.ts';
import type { Transfer } from '../inputs/transfer.ts';

/** How initdb makes the new cluster, and which database must be created again in it. */
export interface InitdbSettings {
  readonly superuser: string;
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
  /** Of the old cluster's database `postgres`; undefined when it has none. */
  readonly postgres?: { readonly encoding: string; readonly collate: string; readonly ctype: string } | undefined;
}

export interface JobSettings {
  readonly image: string;
  readonly imagePullSecret: string;
  readonly resources: V1ResourceRequirements;
  readonly jobs: number;
  readonly transfer: Transfer;
  readonly initdb: InitdbSettings;
  /** Which upgrade it is, and whose; written into the journal on the volume. */
  readonly runId: string;
}

export type JobCommand = 'upgrade' | 'revert' | 'rollback' | 'boot';

export const jobName = `postgres-upgrade-${String(upgrade.from)}-to-${String(upgrade.to)}`;
/** Of the Job that restores the data directory, for a revert or a rollback. */
export const revertJobName = `${jobName}-revert`;
/** Of the Job that starts PostgreSQL 12 on a copy of the volume. */
export const bootJobName = `${jobName}-boot`;
const jobNames: Readonly<Record<JobCommand, string>> = {
  upgrade: jobName,
  revert: revertJobName,
  rollback: revertJobName,
  boot: bootJobName,
};
export const containerName = 'pg-upgrade';
const scriptName = 'upgrade.sh';

/** Where nobody waited for the volume to be detached, since the server was seen to end cleanly. */
export interface StillAttached {
  /** The node on which the anchor keeps the volume; undefined once the anchor is removed. */
  readonly node: string | undefined;
}

/** Says whether the Job refuses a server that was not shut down cleanly, instead of recovering it. */
export const stopVariable = 'STOPPED';

/**
 * The Job that runs pg_upgrade on the server's volume, undoes that, or starts PostgreSQL 12 on a copy. One
 * pod, never repeated by Kubernetes, never ended by a deadline.
 * @param scripts text by file name; they are in the Job's command: see bootstrap.ts
 * @param attached undefined where the volume was detached since the server ended
 */
export function upgradeJob(
  target: Target,
  settings: JobSettings,
  command: JobCommand,
  scripts: Readonly<Record<string, string>>,
  attached?: StillAttached,
): V1Job {
  const { initdb } = settings;
  const variables: Record<string, string> = {
    MOUNT: target.volume.mountPath,
    DATA: target.dataDirectory,
    FROM: String(upgrade.from),
    TO: String(upgrade.to),
    SUPERUSER: initdb.superuser,
    ENCODING: initdb.encoding,
    LC_COLLATE_VALUE: initdb.collate,
    LC_CTYPE_VALUE: initdb.ctype,
    POSTGRES_ENCODING: initdb.postgres?.encoding ?? '',
    POSTGRES_LC_COLLATE: initdb.postgres?.collate ?? '',
    POSTGRES_LC_CTYPE: initdb.postgres?.ctype ?? '',
    JOBS: String(settings.jobs),
    TRANSFER: settings.transfer,
    RUN_ID: settings.runId,
    SESSION_OPTIONS: upgradeOptions,
    [stopVariable]: attached === undefined ? '' : 'cleanly',
  };
  const env: V1EnvVar[] = [
    ...Object.entries(variables).map(([name, value]) => ({ name, value })),
    ...bootstrapVariables(passwd(target.userId)),
  ];
  return {
    metadata: {
      name: jobNames[command],
      namespace: target.namespace,
      labels: {
        ...ownerLabel,
        purpose: 'pg-major-upgrade',
        'source-version': String(upgrade.from),
        'target-version': String(upgrade.to),
      },
    },
    spec: {
      backoffLimit: 0,
      ttlSecondsAfterFinished: 86_400,
      template: podTemplate(target, {
        labels: { 'app.kubernetes.io/name': 'postgres-upgrade' },
        imagePullSecret: settings.imagePullSecret,
        node: attached?.node,
        container: {
          name: containerName,
          image: settings.image,
          imagePullPolicy: 'IfNotPresent',
          command: bootstrapCommand(scriptName, command, scripts),
          env,
          resources: settings.resources,
          volumeMounts: [
            // Once, at its root and at the server's own path: hard links don't cross mounts, and tablespaces and pg_wal may be links.
            { name: 'data', mountPath: target.volume.mountPath },
          ],
        },
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: target.volume.claimName } }],
      }),
    },
  };
}
