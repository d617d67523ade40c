import {
  choice,
  count,
  duration,
  flag,
  list,
  namespaceName,
  objectName,
  pattern,
  secret,
  text,
  type Input,
} from './input-types.ts';
import { transferChoices } from './job/transfer.ts';
import { backupKinds } from './upgrade/backup/kinds.ts';

/** `[registry[:port]/]path` of an image, without a tag. */
const imagePath = /^[a-z0-9]+([._:-][a-z0-9]+)*(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/;
/** An image with a tag, a digest or both. */
const imageReference =
  /^[a-z0-9]+([._:-][a-z0-9]+)*(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$/;
const imageTag = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
/** What initdb and a shell both take without quoting; the reference for encodings and locales. */
const localeName = /^[A-Za-z0-9_.@-]{1,63}$/;
/** Of a user or an app ("name[bot]"): letters, digits and single hyphens; an enterprise's managed users have "_" and a short code at the end. */
const login = /^@?[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9])?(\[bot\])?$/;

/**
 * Every input of the action. action.yml, the README's table and the parser
 * come from here (`npm run generate`); the key in kebab case is the input's name.
 */
export const inputTable = {
  namespace: namespaceName({ required: true, description: 'Namespace in which CircleCI Server runs.' }),
  kubeconfig: text({
    description:
      'Path of a kubeconfig, or its content. Empty: the environment variable KUBECONFIG, then the service account of the pod in which the runner runs.',
  }),
  context: text({ description: 'Context of the kubeconfig. Empty: its current context.' }),
  mode: choice(['precheck', 'upgrade', 'status', 'rollback', 'values'], {
    default: 'precheck',
    description:
      '`precheck` looks and changes nothing; `upgrade` takes PostgreSQL from 12 to 14, or goes on with an upgrade that was interrupted; `status` tells where an upgrade stands and what to run next; `rollback` brings 12 back, also after 14 has served; `values` only makes the pull request for `values-file`, without looking at the cluster.',
  }),
  confirm: text({
    description: 'For `mode: upgrade` and `mode: rollback`: the namespace again, so that neither starts by accident.',
  }),
  dryRun: flag({
    description:
      'For `mode: upgrade`: ask every check, then tell what the upgrade would do (steps, manifests, changes as diffs, seconds of each step) and change nothing. Needs no `confirm`.',
  }),
  acceptDataLoss: flag({
    description:
      'For `mode: rollback` after the applications were let in to 14: that what they have written since is given up. Without it the run says what that is, and changes nothing.',
  }),

  statefulset: objectName({
    description: "Name of PostgreSQL's StatefulSet. Empty: the one labelled `app.kubernetes.io/name=postgresql`.",
  }),
  pvcName: objectName({
    description:
      'Name of the PersistentVolumeClaim that holds the data directory. Empty: taken from the pod of the StatefulSet.',
  }),
  secretName: objectName({
    description: "Name of the Secret with the superuser's password. Empty: the one that the StatefulSet itself uses.",
  }),
  secretKey: pattern('key', /^[-._a-zA-Z0-9]{1,253}$/, 'a key of a Secret (letters, digits, "-", "_" and ".")', {
    description: 'Key in that Secret. Empty: the one that the StatefulSet itself uses, then `postgres-password`.',
  }),
  applicationSelector: pattern(
    'label selector',
    /^[-A-Za-z0-9_./=!,() ]+$/,
    'a label selector such as layer=application',
    {
      default: 'layer=application',
      description: 'Label selector of the workloads that are stopped during the upgrade.',
    },
  ),

  serverRelease: pattern('release', /^\d+\.\d+(\.\d+)?$/, 'a release of CircleCI Server such as 4.10', {
    default: '4.10',
    description: 'Release of CircleCI Server; chooses the tag of the PostgreSQL 14 image.',
  }),
  imageSource: choice(['acr', 'docker-hub'], {
    default: 'acr',
    description: 'Where the images come from: `acr` (cciserver.azurecr.io) or `docker-hub`.',
  }),
  imageRepository: pattern(
    'image path',
    imagePath,
    'an image path without a tag, such as registry.example.com/mirror/server-postgres',
    { description: 'Registry and path of the PostgreSQL 14 image, for mirrors. Empty: by `image-source`.' },
  ),
  imageTag: pattern('tag', imageTag, 'an image tag', {
    description: 'Tag of the PostgreSQL 14 image. Empty: by `server-release`.',
  }),
  upgradeImage: pattern('image', imageReference, 'an image reference', {
    description: 'Image of the upgrade Job, which holds the binaries of both majors. Empty: by `image-source`.',
  }),
  imagePullSecret: choiceOfSecret({
    default: 'regcred',
    description:
      "Name of the Secret with which the images are pulled, besides those of the server's own pod. `none` for no such Secret.",
  }),
  resources: text({
    default: '{"requests":{"cpu":"200m","memory":"512Mi"},"limits":{"cpu":"2","memory":"2Gi"}}',
    description:
      "Resources of the upgrade Job, and of the pod that tries its dumps and restores before, as YAML or JSON in the form of a container's `resources`.",
  }),
  probes: choice(['pods', 'none'], {
    default: 'pods',
    description:
      '`pods`: ask both images by short-lived, labelled pods without a volume (which also pulls them before the downtime), and try there what pg_upgrade will restore. `none`: they are not asked, and the checks that need it are unknown, and stop nothing.',
  }),
  probeVolume: flag({
    description:
      "Consent to try the running server's volume: a small file of its own beside the data directory gets a reflink and a hard link, and all of it is removed. The checks then tell how the files will go over. Without it the Job tries that before it changes anything.",
  }),

  ignoreChecks: text({
    description:
      'Checks whose findings are to stop nothing, a line each: `id: reason`. They are asked, and shown with the reason.',
  }),
  failOn: choice(['failed', 'warning'], {
    default: 'failed',
    description:
      'What stops a run: `failed` (checks that failed, and those that could not be told), or a `warning` too. What is ignored never does.',
  }),

  issue: flag({
    description:
      'For `mode: precheck`: keep one GitHub issue about the prechecks in this repository. It is opened when something stands against the upgrade, commented when that changes, and closed when nothing does any more. Needs `issues: write`.',
  }),

  initdbEncoding: pattern('encoding', localeName, 'an encoding such as UTF8', {
    description: 'Encoding of the new cluster. Empty: the one of template1.',
  }),
  initdbLcCollate: pattern('locale', localeName, 'a locale such as C.UTF-8', {
    description: 'LC_COLLATE of the new cluster. Empty: the one of template1.',
  }),
  initdbLcCtype: pattern('locale', localeName, 'a locale such as C.UTF-8', {
    description: 'LC_CTYPE of the new cluster. Empty: the one of template1.',
  }),
  jobs: count(1, {
    description:
      'Parallel jobs of pg_upgrade and ANALYZE. Empty: the smaller of the number of databases and the CPU limit of `resources`.',
  }),
  transfer: choice(transferChoices, {
    default: 'auto',
    description:
      'How pg_upgrade takes the files over: `clone` (reflinks: as fast as links, and 12 stays whole beside 14), `link` (hard links: after the first start of 14 only the backup brings 12 back) or `copy` (takes time and room for all data). `auto`: the first of them that the volume can do, as the Job finds by trying it.',
  }),
  backup: choice(backupKinds, {
    default: 'snapshot',
    description:
      'How the volume is backed up in the downtime: `snapshot` (a VolumeSnapshot), `clone` (a second claim, where the CSI driver clones volumes) or `external` (you have a backup of your own; see `confirm-external-backup`).',
  }),
  confirmExternalBackup: text({
    description:
      'For `backup: external`: the namespace again. No backup is then in the cluster, and once 14 has served on linked files the action cannot bring 12 back.',
  }),
  verifyBackup: flag({
    default: 'true',
    description:
      'Before the downtime, make a volume from a snapshot (or clone) of the running server and start 12 on it, so that a backup which cannot be restored is found in time.',
  }),
  verifyBackupTimeout: duration({
    default: '10m',
    description:
      'Limit for that proof, for the volume and for the server each; beyond it the upgrade goes on with a warning.',
  }),
  volumeSnapshotClass: objectName({
    description:
      "VolumeSnapshotClass for the backup. Empty: the only one of the volume's CSI driver, or its default one.",
  }),
  activate: choice(['patch'], {
    default: 'patch',
    description:
      'How PostgreSQL 14 is brought up: `patch` sets the image on the StatefulSet. values.yaml must then say the same before the next `helm upgrade`.',
  }),

  valuesFile: text({
    description:
      'Path of the values.yaml in this repository, from its root. The upgrade then ends with a pull request that names the image of 14 in it, and the checks ask before whether that can be done. Empty: no pull request.',
  }),
  valuesPath: text({
    default: 'postgresql.image',
    description: 'Keys that lead to the image in that file, joined by dots (`\\.` for a dot within a key).',
  }),
  githubToken: secret({
    default: '${{ github.token }}',
    description:
      "Token for the pull request (`contents: write` and `pull-requests: write`) and for `issue` (`issues: write`). With the workflow's own token no other workflow starts on the pull request.",
  }),
  pullRequestBase: text({
    description: "Branch into which the pull request goes. Empty: the repository's default branch.",
  }),
  pullRequestBranch: text({
    description: "The pull request's own branch. Empty: a name made of namespace and values file, the same each time.",
  }),
  pullRequestDraft: flag({ description: 'Open the pull request as a draft.' }),
  labels: list('label', /^.{1,50}$/u, 'a label of at most 50 characters', {
    description: 'Labels of the pull request, and of the issue when it is opened.',
  }),
  assignees: list('login', login, 'the login of a user', {
    description: 'Assignees of the pull request, and of the issue when it is opened.',
  }),
  reviewers: list('login', login, 'the login of a user', {
    description: 'Users who are asked to review the pull request.',
  }),
  teamReviewers: list('team', /^@?([A-Za-z0-9-]+\/)?[A-Za-z0-9_-]{1,100}$/, "a team's slug", {
    description: 'Teams that are asked to review, by their slugs. The workflow token of GitHub may not ask teams.',
  }),

  applicationsTimeout: duration({ default: '5m', description: 'Limit for the pods of the application layer to end.' }),
  clientsTimeout: duration({ default: '30s', description: 'Limit for the last database clients to disconnect.' }),
  shutdownTimeout: duration({ default: '5m', description: "Limit for PostgreSQL's pod to end." }),
  detachTimeout: duration({ default: '10m', description: 'Limit for the volume to be detached.' }),
  snapshotTimeout: duration({ default: '30m', description: 'Limit for the VolumeSnapshot to be ready.' }),
  jobStartTimeout: duration({
    default: '10m',
    description: 'Limit for the pod of the upgrade Job to start, and for a probe to start and to end.',
  }),
  jobTimeout: duration({
    default: '2h',
    description: 'Limit for the upgrade Job to end. The wait ends, never the Job.',
  }),
  startTimeout: duration({ default: '10m', description: 'Limit for PostgreSQL to be ready.' }),
  rolloutTimeout: duration({ default: '10m', description: 'Limit for the application layer to be back.' }),
} satisfies Record<string, Input<unknown>>;

/** `none` or the name of a Secret; none is the empty string afterwards. */
function choiceOfSecret(spec: { default: string; description: string }): Input<string> {
  const name = objectName(spec);
  return { ...name, parse: (value, input) => (value === 'none' || value === '' ? '' : name.parse(value, input)) };
}

type InputTable = typeof inputTable;

/** The values of all inputs, read and checked. Durations are in milliseconds, "not given" is '' or undefined. */
export type Inputs = { readonly [K in keyof InputTable]: ReturnType<InputTable[K]['parse']> };

/** `pvcName` → `pvc-name`: how the input is called in a workflow. */
export function inputName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/**
 * Reads every input.
 * @param read the text of an input by its name, '' when it is not given
 * @throws ConfigurationError for the first input that is missing or wrong
 */
export function parseInputs(read: (name: string) => string): Inputs {
  const values = Object.entries(inputTable).map(([key, input]) => {
    const name = inputName(key);
    return [key, input.parse(read(name).trim() || input.default, name)] as const;
  });
  return Object.fromEntries(values) as Inputs;
}
