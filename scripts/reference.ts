// The order in which docs/inputs.md tells inputs and outputs: by what people want.
import type { OutputName } from '../src/common/outputs.ts';
import type { inputTable } from '../src/inputs/inputs.ts';

export type InputKey = keyof typeof inputTable;

interface InputGroup {
  /** Heading, and what the inputs below it are for. */
  readonly title: string;
  readonly when: string;
  readonly inputs: readonly InputKey[];
}

export const inputGroups: readonly InputGroup[] = [
  {
    title: 'Every run',
    when: 'Which server, what to do, and your consent.',
    inputs: ['namespace', 'kubeconfig', 'context', 'mode', 'confirm', 'dryRun', 'acceptDataLoss', 'healthyFor'],
  },
  {
    title: 'The pull request for values.yaml',
    when: 'See [The pull request](pull-request.md). `github-token`, `labels` and `assignees` serve the issue too.',
    inputs: [
      ...(['valuesFile', 'valuesPath', 'githubToken', 'pullRequestBase', 'pullRequestBranch'] as const),
      ...(['pullRequestDraft', 'labels', 'assignees', 'reviewers', 'teamReviewers'] as const),
    ],
  },
  {
    title: 'The checks',
    when: 'What blocks, what may be tried, and who is told.',
    inputs: ['failOn', 'ignoreChecks', 'probes', 'probeVolume', 'issue'],
  },
  {
    title: 'The backup',
    when: 'See [Ways back](ways-back.md#the-backup).',
    inputs: [
      ...(['backup', 'confirmExternalBackup', 'verifyBackup', 'verifyBackupTimeout'] as const),
      ...(['rehearsal', 'rehearsalValid', 'amcheckBudget'] as const),
      ...(['volumeSnapshotClass', 'snapshotGate'] as const),
    ],
  },
  {
    title: 'How fast the files go over',
    when: 'See [The upgrade](upgrade.md#how-pg_upgrade-transfers-the-files).',
    inputs: ['transfer', 'jobs', 'resources', 'statisticsBudget'],
  },
  {
    title: 'Gates and hooks of the upgrade',
    when: 'See [The upgrade](upgrade.md#gates-and-hooks).',
    inputs: [
      ...(['startBefore', 'maxDowntime', 'beforeApplicationsSql', 'beforeApplications'] as const),
      ...(['afterApplications', 'hookTimeout', 'hookPassword'] as const),
    ],
  },
  {
    title: 'Images from elsewhere',
    when: 'Another release, a mirror, an air-gapped cluster: see [Registries](registries.md).',
    inputs: ['serverRelease', 'imageSource', 'imageRepository', 'imageTag', 'upgradeImage', 'imagePullSecret'],
  },
  {
    title: 'A server with other names',
    when: 'The action finds these by itself in the vendor’s chart. Set one if it says that it found none, or more than one.',
    inputs: ['statefulset', 'pvcName', 'secretName', 'secretKey', 'applicationSelector'],
  },
  {
    title: 'Limits of waits',
    when: 'Each wait that reaches its limit ends the run or makes the action revert, and its error names the input to raise.',
    inputs: [
      ...(['applicationsTimeout', 'clientsTimeout', 'shutdownTimeout', 'detachTimeout', 'snapshotTimeout'] as const),
      ...(['jobStartTimeout', 'jobTimeout', 'startTimeout', 'rolloutTimeout'] as const),
    ],
  },
];

export const outputTypes: Readonly<Record<OutputName, string>> = {
  verdict: 'word',
  failedChecks: 'list',
  unknownChecks: 'list',
  report: 'path',
  imageRegistry: 'text',
  imageRepository: 'text',
  imageTag: 'text',
  image: 'text',
  snapshot: 'name',
  backup: 'text',
  downtimeSeconds: 'number',
  predictedDowntimeSeconds: 'number',
  predictedDowntimeRange: 'two numbers, joined by a hyphen',
  freedBytes: 'number',
  step: 'id',
  holder: 'URL',
  next: 'text',
  pullRequestOperation: 'word',
  pullRequestNumber: 'number',
  pullRequestUrl: 'URL',
  pullRequestHeadSha: 'commit',
  issueOperation: 'word',
  issueNumber: 'number',
  issueUrl: 'URL',
};
