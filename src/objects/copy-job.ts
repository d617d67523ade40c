import type { V1Job, V1Volume } from '@kubernetes/client-node';
import type { Target } from '../target/target.ts';
import { bootstrapCommand, bootstrapVariables } from './bootstrap.ts';
import { ownerLabel, passwd, podTemplate } from './pod.ts';
import { containerName, jobName, type JobSettings } from './upgrade-job.ts';

/**
 * `copy`: the server's volume. `restore`: a copy of it, which must be as it was made. `room`: nothing is copied; the Job tries what a copy needs.
 */
type CopyCommand = 'copy' | 'restore' | 'room';

/** Of the Job that copies a volume, or tries what a copy needs. */
export const copyJobName = `${jobName}-copy`;

/** What `room` writes. */
export const trialBytes = 64 * 1024 * 1024;

const scriptName = 'copy.sh';
const scriptNames: readonly string[] = [scriptName, 'report.sh', 'literals.awk'];

export interface CopyWork {
  readonly command: CopyCommand;
  /** The claim whose volume is copied; with `room` there is none. */
  readonly source?: string | undefined;
  /** The claim whose volume gets the copy. */
  readonly copy: string;
  /** Bytes that a copy needs, for `room`. */
  readonly neededBytes?: number;
  /** The only node on which it may run. */
  readonly node?: string | undefined;
}

/**
 * The Job that copies a volume to another one and compares every file, or tries what that needs. Its container has the volume that it copies read-only; the pod has not,
 * since the kubelet relabels no such volume, and on nodes with SELinux no file could be read (makeMounts of the kubelet). The other volume is new and belongs to root: there
 * the kubelet has to do what it does for the server. It leaves the owners of a volume alone whose root has the group already.
 * Decision: docs/decisions/0031-cold-copy.md
 */
export function copyJob(
  target: Target,
  settings: JobSettings,
  scripts: Readonly<Record<string, string>>,
  { command, source, copy, neededBytes = 0, node }: CopyWork,
): V1Job {
  const used = Object.fromEntries(Object.entries(scripts).filter(([name]) => scriptNames.includes(name)));
  const variables = {
    SOURCE: '/source',
    COPY: '/copy',
    // The claims are in the volumes of the pod. Here they tell one copy's Job from another's.
    CLAIMS: `${source ?? ''}:${copy}`,
    NEEDED_BYTES: String(neededBytes),
    TRIAL_BYTES: String(trialBytes),
    RUN_ID: settings.runId,
    TRANSFER: settings.transfer,
  };
  const volumes: V1Volume[] = [
    ...(source === undefined ? [] : [{ name: 'source', persistentVolumeClaim: { claimName: source } }]),
    { name: 'copy', persistentVolumeClaim: { claimName: copy } },
  ];
  const template = podTemplate(target, {
    labels: { 'app.kubernetes.io/name': 'postgres-upgrade' },
    imagePullSecret: settings.imagePullSecret,
    node,
    container: {
      name: containerName,
      image: settings.image,
      imagePullPolicy: 'IfNotPresent',
      command: bootstrapCommand(scriptName, command, used),
      env: [
        ...Object.entries(variables).map(([name, value]) => ({ name, value })),
        ...bootstrapVariables(passwd(target.userId)),
      ],
      resources: settings.resources,
      volumeMounts: [
        ...(source === undefined ? [] : [{ name: 'source', mountPath: variables.SOURCE, readOnly: true }]),
        { name: 'copy', mountPath: variables.COPY },
      ],
    },
    volumes,
  });
  const { fsGroup } = target;
  return {
    metadata: {
      name: copyJobName,
      namespace: target.namespace,
      labels: { ...ownerLabel, 'app.kubernetes.io/name': 'postgres-upgrade' },
    },
    spec: {
      backoffLimit: 0,
      ttlSecondsAfterFinished: 86_400,
      template: {
        ...template,
        spec: {
          ...template.spec,
          containers: template.spec?.containers ?? [],
          securityContext: {
            ...template.spec?.securityContext,
            ...(fsGroup === undefined ? {} : { fsGroup, fsGroupChangePolicy: 'OnRootMismatch' }),
          },
        },
      },
    },
  };
}
