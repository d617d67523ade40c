import {
  checked,
  choice,
  count,
  document,
  duration,
  flag,
  list,
  modes,
  namespaceName,
  objectName,
  objectNameOrNone,
  parsed,
  pattern,
  secret,
  secretDocument,
  text,
  type Input,
  type Mode,
} from './input-types.ts';
import { logins, teams } from './accounts.ts';
import { parseResources } from './resources.ts';
import { transferChoices } from './transfer.ts';
import { parseIgnored } from './ignore.ts';
import { checkBranchName, checkPath } from './repository-names.ts';
import { checkSelector } from './selector-text.ts';
import { backupKinds } from './backup-kinds.ts';
import { imageGrammar } from '../common/image.ts';
import { parsePath } from '../values/path.ts';

// Which modes use an input.
const onCluster: readonly Mode[] = ['precheck', 'upgrade', 'status', 'rollback'];
const checking: readonly Mode[] = ['precheck', 'upgrade'];
const moving: readonly Mode[] = ['upgrade', 'rollback'];
const checkingOrMoving: readonly Mode[] = ['precheck', 'upgrade', 'rollback'];
const proposing: readonly Mode[] = ['precheck', 'upgrade', 'rollback', 'values'];
const onlyWithValuesFile = { modes: proposing, needs: ['values-file'] };
const onlyWithGitHub = { modes: proposing, needs: ['values-file', 'issue: true'] };

/**
 * Every input of the action. action.yml, docs/inputs.md and the parser
 * come from here (`npm run generate`); the key in kebab case is the input's name.
 * Decision: docs/decisions/0025-inputs-and-events.md
 */
export const inputTable = {
  namespace: namespaceName({ required: true, description: 'Namespace in which CircleCI Server runs.' }),
  kubeconfig: secretDocument({
    description:
      'Path of a kubeconfig, or its content. Empty: the environment variable KUBECONFIG, then the service account of the pod in which the runner runs.',
    modes: onCluster,
  }),
  context: text({ description: 'Context of the kubeconfig. Empty: its current context.', modes: onCluster }),
  mode: choice(modes, {
    default: 'precheck',
    description:
      '`precheck` looks and changes nothing; `upgrade` takes PostgreSQL from 12 to 14, or goes on with an upgrade that was interrupted; `status` tells where an upgrade stands and what to run next; `rollback` brings 12 back, also after 14 has served; `values` only makes the pull request for `values-file`, without looking at the cluster.',
  }),
  confirm: text({
    description: 'For `mode: upgrade` and `mode: rollback`: the namespace again, so that neither starts by accident.',
    modes: moving,
    isConsent: true,
  }),
  dryRun: flag({
    description:
      'For `mode: upgrade`: ask every check, then tell what the upgrade would do (steps, manifests, changes as diffs, seconds of each step) and change nothing. Needs no `confirm`.',
    modes: ['upgrade'],
    isConsent: true,
  }),
  acceptDataLoss: flag({
    description:
      'For `mode: rollback` after the applications were let in to 14: that what they have written since is given up. Without it the run says what that is, and changes nothing.',
    modes: ['rollback'],
    isConsent: true,
  }),

  statefulset: objectName({
    description: "Name of PostgreSQL's StatefulSet. Empty: the one labelled `app.kubernetes.io/name=postgresql`.",
    modes: onCluster,
  }),
  pvcName: objectName({
    description:
      'Name of the PersistentVolumeClaim that holds the data directory. Empty: taken from the pod of the StatefulSet.',
    modes: onCluster,
  }),
  secretName: objectName({
    description: "Name of the Secret with the superuser's password. Empty: the one that the StatefulSet itself uses.",
    modes: onCluster,
  }),
  secretKey: pattern('key', /^[-._a-zA-Z0-9]{1,253}$/, 'a key of a Secret (letters, digits, "-", "_" and ".")', {
    description: 'Key in that Secret. Empty: the one that the StatefulSet itself uses, then `postgres-password`.',
    modes: onCluster,
  }),
  applicationSelector: checked('label selector', checkSelector, {
    default: 'layer=application',
    description: 'Label selector of the workloads that are stopped during the upgrade.',
    modes: onCluster,
  }),

  serverRelease: pattern('release', /^\d{1,4}\.\d{1,4}(\.\d{1,6})?$/, 'a release of CircleCI Server such as 4.10', {
    default: '4.10',
    description: 'Release of CircleCI Server; chooses the tag of the PostgreSQL 14 image.',
  }),
  imageSource: choice(['acr', 'docker-hub'], {
    default: 'acr',
    description: 'Where the images come from: `acr` (cciserver.azurecr.io) or `docker-hub`.',
  }),
  imageRepository: pattern(
    'image path',
    imageGrammar.name,
    'an image path without a tag, such as registry.example.com/mirror/server-postgres',
    { description: 'Registry and path of the PostgreSQL 14 image, for mirrors. Empty: by `image-source`.' },
  ),
  imageTag: pattern('tag', imageGrammar.tagWithDigest, 'an image tag, with or without @sha256:…', {
    description:
      'Tag of the PostgreSQL 14 image, with its digest if it is to be that very image: `14.22@sha256:…`. Empty: by `server-release`.',
  }),
  upgradeImage: pattern('image', imageGrammar.reference, 'an image reference', {
    description:
      'Image of the upgrade Job, which holds the binaries of both majors, by tag, digest or both. Empty: by `image-source`.',
    modes: checkingOrMoving,
  }),
  imagePullSecret: objectNameOrNone({
    default: 'regcred',
    description:
      "Name of the Secret with which the images are pulled, besides those of the server's own pod. `none` for no such Secret.",
    modes: checking,
  }),
  resources: document(
    'resources',
    {
      default: '{"requests":{"cpu":"200m","memory":"512Mi"},"limits":{"cpu":"2","memory":"2Gi"}}',
      description:
        "Resources of the upgrade Job, and of the pod that tries its dumps and restores before, as YAML or JSON in the form of a container's `resources`.",
      modes: checking,
    },
    parseResources,
  ),
  probes: choice(['pods', 'none'], {
    default: 'pods',
    description:
      '`pods`: ask both images by short-lived, labelled pods without a volume (which also pulls them before the downtime), and try there what pg_upgrade will restore. `none`: they are not asked, and the checks that need it are unknown, and stop nothing.',
    modes: checking,
  }),
  probeVolume: flag({
    description:
      "Consent to try the running server's volume: a small file of its own beside the data directory gets a reflink and a hard link, and all of it is removed. The checks then tell how the files will go over. Without it the Job tries that before it changes anything.",
    modes: checking,
  }),

  ignoreChecks: document(
    'list of checks',
    {
      description:
        'Checks whose findings are to stop nothing, a line each: `id: reason`. They are asked, and shown with the reason.',
      modes: checking,
    },
    parseIgnored,
  ),
  failOn: choice(['failed', 'warning'], {
    default: 'failed',
    description:
      'What stops a run: `failed` (checks that failed, and those that could not be told), or a `warning` too. What is ignored never does.',
    modes: checking,
  }),

  issue: flag({
    description:
      'For `mode: precheck`: keep one GitHub issue about the prechecks in this repository. The action opens it when a check blocks the upgrade, comments on it when that changes, and closes it when none does any more. Needs `issues: write`.',
    modes: ['precheck'],
    isConsent: true,
  }),

  jobs: count(1, 256, {
    description:
      'Parallel jobs of pg_upgrade and ANALYZE. Empty: the smaller of the number of databases and the CPU limit of `resources`.',
    modes: checking,
  }),
  transfer: choice(transferChoices, {
    default: 'auto',
    description:
      'How pg_upgrade takes the files over: `clone` (reflinks: as fast as links, and 12 stays whole beside 14), `link` (hard links: after the first start of 14 only the backup brings 12 back) or `copy` (takes time and room for all data). `auto`: the first of them that the volume can do, as the Job finds by trying it.',
    modes: checking,
  }),
  backup: choice(backupKinds, {
    default: 'snapshot',
    description:
      'How the volume is backed up in the downtime: `snapshot` (a VolumeSnapshot), `clone` (a second claim, where the CSI driver clones volumes) or `external` (you have a backup of your own; see `confirm-external-backup`).',
    modes: checking,
  }),
  confirmExternalBackup: text({
    description:
      'For `backup: external`: the namespace again. No backup is then in the cluster, and once 14 has served on linked files the action cannot bring 12 back.',
    modes: ['upgrade'],
    needs: ['backup: external'],
    isConsent: true,
  }),
  verifyBackup: flag({
    default: 'true',
    description:
      'Before the downtime, make a volume from a snapshot (or clone) of the running server and start 12 on it, so that a backup which cannot be restored is found in time.',
    modes: checking,
    needs: ['backup: snapshot', 'backup: clone'],
  }),
  verifyBackupTimeout: duration({
    default: '10m',
    description:
      'Limit for that proof, for the volume and for the server each; beyond it the upgrade goes on with a warning.',
    modes: ['upgrade'],
    needs: ['verify-backup: true'],
  }),
  volumeSnapshotClass: objectName({
    description:
      "VolumeSnapshotClass for the backup. Empty: the only one of the volume's CSI driver, or its default one.",
    modes: checking,
    needs: ['backup: snapshot'],
  }),

  valuesFile: checked('path', checkPath, {
    description:
      'Path of the values.yaml in this repository, from its root. The upgrade then ends with a pull request that names the image of 14 in it, and the checks ask before whether that can be done. Empty: no pull request.',
    modes: proposing,
  }),
  valuesPath: parsed('keys', parsePath, {
    default: 'postgresql.image',
    description:
      'Keys that lead to the image in that file, joined by dots (`\\.` for a dot within a key), with the number of an item of a list in brackets: `spec.sources[0].helm.valuesObject.postgresql.image`.',
    ...onlyWithValuesFile,
  }),
  githubToken: secret({
    default: '${{ github.token }}',
    description:
      "Token for the pull request (`contents: write` and `pull-requests: write`) and for `issue` (`issues: write`). With the workflow's own token no other workflow starts on the pull request.",
    ...onlyWithGitHub,
  }),
  pullRequestBase: checked('branch', checkBranchName, {
    description: "Branch into which the pull request goes. Empty: the repository's default branch.",
    ...onlyWithValuesFile,
  }),
  pullRequestBranch: checked('branch', checkBranchName, {
    description: "The pull request's own branch. Empty: a name made of namespace and values file, the same each time.",
    ...onlyWithValuesFile,
  }),
  pullRequestDraft: flag({
    description: 'Open the pull request as a draft.',
    ...onlyWithValuesFile,
  }),
  labels: list('label', /^[^\p{Cc}\p{Zl}\p{Zp}]{1,50}$/u, 'a label of at most 50 characters', {
    description: 'Labels of the pull request, and of the issue when it is opened.',
    ...onlyWithGitHub,
  }),
  assignees: logins({
    description: 'Assignees of the pull request, and of the issue when it is opened.',
    ...onlyWithGitHub,
  }),
  reviewers: logins({
    description: 'Users who are asked to review the pull request.',
    ...onlyWithValuesFile,
  }),
  teamReviewers: teams({
    description: 'Teams that are asked to review, by their slugs. The workflow token of GitHub may not ask teams.',
    ...onlyWithValuesFile,
  }),

  applicationsTimeout: limit('5m', 'Limit for the pods of the application layer to end.'),
  clientsTimeout: limit('30s', 'Limit for the last database clients to disconnect.', checkingOrMoving),
  shutdownTimeout: limit('5m', "Limit for PostgreSQL's pod to end."),
  detachTimeout: limit('10m', 'Limit for the volume to be detached.'),
  snapshotTimeout: limit('30m', 'Limit for the VolumeSnapshot to be ready.'),
  jobStartTimeout: limit(
    '10m',
    'Limit for the pod of the upgrade Job to start, and for a probe to start and to end.',
    checkingOrMoving,
  ),
  jobTimeout: limit('2h', 'Limit for the upgrade Job to end. The wait ends, never the Job.'),
  startTimeout: limit('10m', 'Limit for PostgreSQL to be ready.'),
  rolloutTimeout: limit('10m', 'Limit for the application layer to be back.'),
} satisfies Record<string, Input<unknown>>;

function limit(standard: string, description: string, usedBy: readonly Mode[] = moving): Input<number> {
  return duration({ default: standard, description, modes: usedBy });
}
