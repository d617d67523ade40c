import {
  checked,
  choice,
  count,
  document,
  duration,
  durationOfHours,
  durationOrNone,
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
import { gatesAndHooks } from './gates-and-hooks.ts';
import { logins, teams } from './accounts.ts';
import { parseResources } from './resources.ts';
import { transferChoices } from './transfer.ts';
import { parseIgnored } from './ignore.ts';
import { checkBranchName, checkPath } from './repository-names.ts';
import { checkSelector } from './selector-text.ts';
import { backupKinds, snapshotStates } from './backup-kinds.ts';
import { limitInputs } from './limit-inputs.ts';
import { imageGrammar } from '../common/image.ts';
import { parsePath } from '../values/path.ts';

// Which modes use an input.
const onCluster: readonly Mode[] = ['precheck', 'rehearse', 'upgrade', 'status', 'rollback', 'cleanup'];
const checking: readonly Mode[] = ['precheck', 'rehearse', 'upgrade'];
const backingUp: readonly Mode[] = ['precheck', 'rehearse', 'upgrade', 'cleanup'];
const checkingOrMoving: readonly Mode[] = ['precheck', 'rehearse', 'upgrade', 'rollback'];
const proposing: readonly Mode[] = ['precheck', 'upgrade', 'rollback', 'values'];
const onlyWithValuesFile = { modes: proposing, needs: ['values-file'] };
const onlyWithGitHub = { modes: proposing, needs: ['values-file', 'issue: true'] };

/**
 * Every input of the action. action.yml, docs/inputs.md and the parser
 * come from here (`npm run generate`); the key in kebab case is the input's name.
 * Decision: docs/decisions/0025-inputs-and-events.md
 */
export const inputTable = {
  namespace: namespaceName({ required: true, description: 'Namespace of CircleCI Server.' }),
  kubeconfig: secretDocument({
    description:
      'Path or content of a kubeconfig. Empty: the environment variable KUBECONFIG, then the service account of the pod in which the runner runs.',
    modes: onCluster,
  }),
  context: text({ description: 'Context of the kubeconfig to use. Empty: its current context.', modes: onCluster }),
  mode: choice(modes, {
    default: 'precheck',
    description:
      '`precheck` runs the checks and leaves the server as it is. `rehearse` runs the checks, then the whole upgrade on a copy of the volume, while the server serves. `upgrade` upgrades PostgreSQL 12 to PostgreSQL 14, or resumes an interrupted upgrade. `status` reports where an upgrade stands and what to run next. `rollback` restores PostgreSQL 12, also after PostgreSQL 14 has served. `cleanup` removes what the upgrade kept for that, once PostgreSQL 14 has been healthy for a day. `values` only opens the pull request for `values-file`, without access to the cluster.',
  }),
  confirm: text({
    description:
      'For `mode: upgrade`, `mode: rollback` and `mode: cleanup`: the namespace again. None of these starts without it.',
    modes: ['upgrade', 'rollback', 'cleanup'],
    isConsent: true,
  }),
  dryRun: flag({
    description:
      'For `mode: upgrade`: run every check, show what the upgrade would do, and change nothing. The plan shows steps, manifests, changes as diffs, and the seconds of each step. For `mode: cleanup`: list what it would remove, with sizes, and remove nothing. Needs no `confirm`.',
    modes: ['upgrade', 'cleanup'],
    isConsent: true,
  }),
  acceptDataLoss: flag({
    description:
      'For `mode: rollback` after the applications were restarted on PostgreSQL 14: consent to lose what they have written since. Without it the run reports what would be lost, and changes nothing.',
    modes: ['rollback'],
    isConsent: true,
  }),
  healthyFor: durationOfHours(24, {
    default: '24h',
    description:
      'For `mode: cleanup`: how long PostgreSQL 14 must have been healthy, since the applications were restarted. At least `24h`.',
    modes: ['cleanup'],
  }),

  ...gatesAndHooks,

  statefulset: objectName({
    description: "Name of PostgreSQL's StatefulSet. Empty: the one with the label `app.kubernetes.io/name=postgresql`.",
    modes: onCluster,
  }),
  pvcName: objectName({
    description:
      'Name of the PersistentVolumeClaim with the data directory. Empty: the one that the pod of the StatefulSet mounts there.',
    modes: onCluster,
  }),
  secretName: objectName({
    description: "Name of the Secret with the superuser's password. Empty: the one that the StatefulSet uses.",
    modes: onCluster,
  }),
  secretKey: pattern('key', /^[-._a-zA-Z0-9]{1,253}$/, 'a key of a Secret (letters, digits, "-", "_" and ".")', {
    description: 'Key in that Secret. Empty: the one that the StatefulSet uses, then `postgres-password`.',
    modes: onCluster,
  }),
  applicationSelector: checked('label selector', checkSelector, {
    default: 'layer=application',
    description: 'Label selector of the workloads that the action stops for the upgrade and restarts afterwards.',
    modes: onCluster,
  }),

  serverRelease: pattern('release', /^\d{1,4}\.\d{1,4}(\.\d{1,6})?$/, 'a release of CircleCI Server such as 4.10', {
    default: '4.10',
    description:
      'The target release of CircleCI Server: the one that will use PostgreSQL 14, not the one that runs now. It chooses the tag of the PostgreSQL 14 image; 4.9 and 4.10 have the same.',
  }),
  imageSource: choice(['server', 'acr', 'docker-hub'], {
    default: 'server',
    description:
      "Registry from which both images are pulled: `acr` (cciserver.azurecr.io), `docker-hub`, or `server`: registry and path of the server's own image, if its name ends in `/server-postgres`, else `acr`. `mode: values` does not access the cluster: there `server` is `acr`.",
  }),
  imageRepository: pattern(
    'image path',
    imageGrammar.name,
    'an image path without a tag, such as registry.example.com/mirror/server-postgres',
    { description: 'Registry and path of the PostgreSQL 14 image, for a mirror. Empty: those of `image-source`.' },
  ),
  imageTag: pattern('tag', imageGrammar.tagWithDigest, 'an image tag, with or without @sha256:…', {
    description:
      'Tag of the PostgreSQL 14 image. With a digest, `14.22@sha256:…`, it can be no other image. Empty: the tag for `server-release`.',
  }),
  upgradeImage: pattern('image', imageGrammar.reference, 'an image reference', {
    description:
      'Image of the upgrade Job, with the binaries of PostgreSQL 12 and PostgreSQL 14, by tag, digest or both. Empty: the one of `image-source`.',
    modes: checkingOrMoving,
  }),
  imagePullSecret: objectNameOrNone({
    default: 'regcred',
    description:
      "Name of a Secret for pulling the upgrade image, besides those of the server's own pod. The StatefulSet pulls PostgreSQL 14 without it. `none`: no such Secret.",
    modes: checking,
  }),
  resources: document(
    'resources',
    {
      default: '{"requests":{"cpu":"200m","memory":"512Mi"},"limits":{"cpu":"4","memory":"2Gi"}}',
      description:
        "Resources of the upgrade Job and of the restore test's pod: a container's `resources`, as YAML or JSON. While the Job runs, the applications need no CPU, so its limit may be high.",
      modes: checking,
    },
    parseResources,
  ),
  probes: choice(['pods', 'none'], {
    default: 'pods',
    description:
      '`pods`: short-lived, labelled pods without a volume ask both images and run the restore test. This also pulls the images before the downtime. `none`: no such pods. The checks that need them are then unknown, but do not block.',
    modes: checking,
  }),
  probeVolume: flag({
    description:
      "Consent to a trial on the running server's volume. The action writes a small file beside the data directory, and makes a reflink and a hard link of it. Then it removes all three. The checks then report how pg_upgrade will transfer the files. Without it, only the Job tries this, before it changes anything.",
    modes: checking,
  }),

  ignoreChecks: document(
    'list of checks',
    {
      description:
        'Checks whose findings must not block, a line each: `id: reason`. The action still runs them, and shows them with the reason.',
      modes: checking,
    },
    parseIgnored,
  ),
  failOn: choice(['failed', 'warning'], {
    default: 'failed',
    description:
      'Findings that block the run. `failed`: failed or unknown. `warning`: warnings too. Ignored checks never block.',
    modes: checking,
  }),

  issue: flag({
    description:
      'For `mode: precheck`: keep one GitHub issue about the prechecks in this repository. The action opens it when a check blocks the upgrade. It comments when that changes, and closes the issue when no check blocks any more. Needs `issues: write`.',
    modes: ['precheck'],
    isConsent: true,
  }),

  jobs: count(1, 256, {
    description:
      'Parallel jobs of pg_upgrade and ANALYZE. Empty: the number of databases or the CPU limit of `resources`, whichever is smaller.',
    modes: checking,
  }),
  statisticsBudget: durationOrNone({
    default: '0s',
    description:
      'How long the restart of the applications waits for a quick ANALYZE, which gives every table rough statistics. `0s`: not at all. The quick ANALYZE then runs beside their start. Without statistics, their first queries may be slow.',
    modes: ['upgrade'],
  }),
  transfer: choice(transferChoices, {
    default: 'auto',
    description:
      'How pg_upgrade transfers the files. `clone`: reflinks, as fast as links, and PostgreSQL 12 stays whole beside PostgreSQL 14. `link`: hard links; after the first start of PostgreSQL 14 only the backup restores PostgreSQL 12. `copy`: takes time and room for all data. `auto`: the Job tries them on the volume in this order, and takes the first that works.',
    modes: checking,
  }),
  backup: choice(backupKinds, {
    default: 'snapshot',
    description:
      'How the action backs up the volume in the downtime. `snapshot`: a VolumeSnapshot. `clone`: a second PersistentVolumeClaim, if the CSI driver clones volumes. `copy`: a second PersistentVolumeClaim to which a Job copies all files, on any storage; its time is downtime. `external`: not at all, since you have a backup of your own; see `confirm-external-backup`. `mode: cleanup` takes a VolumeSnapshot of PostgreSQL 14 before it removes anything, or none with `external`.',
    modes: backingUp,
  }),
  confirmExternalBackup: text({
    description:
      'For `backup: external`: the namespace again. The cluster then has no backup. Once PostgreSQL 14 has served on linked files, the action cannot restore PostgreSQL 12. For `mode: cleanup` it says that you have a backup of PostgreSQL 14.',
    modes: ['upgrade', 'cleanup'],
    needs: ['backup: external'],
    isConsent: true,
  }),
  verifyBackup: flag({
    default: 'true',
    description:
      'Before the downtime, make a volume from a snapshot (or clone) of the running server. Start PostgreSQL 12 on it. A backup that cannot be restored is then found in time. A rehearsal that counts has done that already. With `backup: copy`, make a volume like that of the server and try it; nothing is copied.',
    modes: checking,
    needs: ['backup: snapshot', 'backup: clone', 'backup: copy'],
  }),
  verifyBackupTimeout: duration({
    default: '10m',
    description:
      'Limit for that proof, for the volume and for the server each. Beyond it the upgrade continues with a warning; with `backup: copy` it ends there.',
    modes: ['upgrade'],
    needs: ['verify-backup: true'],
  }),
  volumeSnapshotClass: objectName({
    description:
      "VolumeSnapshotClass of the backup. Empty: the only one of the volume's CSI driver, or its default one.",
    modes: backingUp,
    needs: ['backup: snapshot'],
  }),
  snapshotGate: choice(snapshotStates, {
    default: 'ready',
    description:
      'What PostgreSQL 14 waits for when pg_upgrade has linked the files. `ready`: the VolumeSnapshot can be restored. `cut`: the storage may still copy it. If it then fails, nothing restores PostgreSQL 12 any more; all data is in PostgreSQL 14.',
    modes: ['upgrade'],
    needs: ['backup: snapshot'],
  }),

  valuesFile: checked('path', checkPath, {
    description:
      'Path of values.yaml in this repository, from its root. The upgrade then ends with a pull request that sets the image of PostgreSQL 14 in it. The checks report beforehand whether that will work. Empty: no pull request.',
    modes: proposing,
  }),
  valuesPath: parsed('keys', parsePath, {
    default: 'postgresql.image',
    description:
      'Keys that lead to the image in that file, joined by dots: `spec.sources[0].helm.valuesObject.postgresql.image`. `\\.` is a dot within a key; a number in brackets is an item of a list.',
    ...onlyWithValuesFile,
  }),
  githubToken: secret({
    default: '${{ github.token }}',
    description:
      "Token for the pull request (`contents: write` and `pull-requests: write`) and for `issue` (`issues: write`). GitHub starts no workflow on a pull request that the workflow's own token opened.",
    ...onlyWithGitHub,
  }),
  pullRequestBase: checked('branch', checkBranchName, {
    description: "Branch into which the pull request is merged. Empty: the repository's default branch.",
    ...onlyWithValuesFile,
  }),
  pullRequestBranch: checked('branch', checkBranchName, {
    description:
      "The pull request's own branch. Empty: a name made of the namespace and the values file, the same in every run.",
    ...onlyWithValuesFile,
  }),
  pullRequestDraft: flag({
    description: 'Open the pull request as a draft.',
    ...onlyWithValuesFile,
  }),
  labels: list('label', /^[^\p{Cc}\p{Zl}\p{Zp}]{1,50}$/u, 'a label of at most 50 characters', {
    description: 'Labels of the pull request, and of the issue when the action opens it.',
    ...onlyWithGitHub,
  }),
  assignees: logins({
    description: 'Assignees of the pull request, and of the issue when the action opens it.',
    ...onlyWithGitHub,
  }),
  reviewers: logins({
    description: 'Users whom the action asks to review the pull request.',
    ...onlyWithValuesFile,
  }),
  teamReviewers: teams({
    description:
      "Teams that the action asks to review the pull request, by their slugs. The workflow's own token may not ask teams.",
    ...onlyWithValuesFile,
  }),

  ...limitInputs,
} satisfies Record<string, Input<unknown>>;
