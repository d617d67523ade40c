import { failed, type CodeRow } from './end.ts';

/** An input, or what it points to, is wrong. Nothing was touched. */
export const configurationCodes = {
  'base-not-found': [
    failed,
    'The branch into which the pull request is to go does not exist.',
    'Set `pull-request-base` to a branch of this repository, or leave it empty for the default branch.',
  ],
  'branch-is-base': [
    failed,
    'The pull request would go from a branch into the same branch.',
    'Set `pull-request-branch` to another name, or leave it empty.',
  ],
  'branch-name-invalid': [
    failed,
    'Git does not take the text as the name of a branch.',
    'Use letters, digits, `-`, `_`, `.` and `/` in the input that the message names.',
  ],
  'confirm-missing': [
    failed,
    '`mode: upgrade` and `mode: rollback` stop the applications, and `mode: cleanup` removes the way back. They need the namespace in `confirm`. It is empty or something else.',
    'Set `confirm` to the namespace, exactly as in `namespace`.',
  ],
  'dry-run-refused': [
    failed,
    '`dry-run` belongs to `mode: upgrade` and `mode: cleanup`. The run ends, since another mode would change something.',
    'Leave `dry-run` out. A rollback without `accept-data-loss` only says what it would lose.',
  ],
  'event-refused': [
    failed,
    'The event that started the workflow may not start this mode. No secret was used.',
    'Start the workflow by hand (`workflow_dispatch`). [Who may start it](who-may-start-it.md) lists the events.',
  ],
  'event-unreadable': [
    failed,
    "The workflow was started by `workflow_run`, and the file with the event can't be read. So it is unknown for whom the first workflow ran.",
    'Start the workflow by hand (`workflow_dispatch`).',
  ],
  'external-backup-unconfirmed': [
    failed,
    '`backup: external` takes no backup in the cluster, so it needs the namespace in `confirm-external-backup`.',
    'Take the backup, see that it can be restored, then set the input.',
  ],
  'flag-repeated': [
    failed,
    'A flag stands twice on the command line, and only one value can count.',
    'Give each flag once. An input of several lines is one value with line ends.',
  ],
  'flag-secret': [
    failed,
    'A secret stands on the command line, where every user of the machine can read it. Nothing was connected.',
    'Give `--kubeconfig` the path of a file, and the token in the environment variable `GITHUB_TOKEN`. Replace the secret if other people use the machine.',
  ],
  'flag-unknown': [
    failed,
    'A word of the command line is no flag of the action.',
    'Flags have the names of the inputs: `node dist/index.js --help` lists them.',
  ],
  'flag-value': [
    failed,
    'A flag lacks its value, or has one and takes none.',
    'Write `--NAME VALUE`; for true and false `--NAME` and `--no-NAME`.',
  ],
  'fork-refused': [
    failed,
    'The first workflow ran for a fork. A fork may not start anything here.',
    'Start the workflow in the repository itself.',
  ],
  'github-api-insecure': [
    failed,
    "The address of GitHub's API has no TLS, so the token would go in clear text. Nothing was sent.",
    'Run on a server whose API has `https:`.',
  ],
  'github-repository-missing': [
    failed,
    'A pull request or an issue was asked for, but the run is in no repository (`GITHUB_REPOSITORY`).',
    'Run in a GitHub workflow, or leave `values-file` and `issue` out.',
  ],
  'github-token-missing': [
    failed,
    'A pull request or an issue was asked for, and there is no token.',
    'Set `github-token`, or leave `values-file` and `issue` out.',
  ],
  'input-invalid': [
    failed,
    "An input has a value that it can't have. Nothing was looked at.",
    'The message names the input, its value and what it takes.',
  ],
  'input-missing': [failed, 'A required input is empty.', 'Set the input that the message names.'],
  'input-unknown': [
    failed,
    'There is no input of that name, but one with a similar name. The run ends, since a mistyped `dry-run` would be an upgrade.',
    'Correct the name under `with:`.',
  ],
  'kubeconfig-missing': [
    failed,
    'There is no kubeconfig: neither the input nor `KUBECONFIG`, and the runner is not a pod of a cluster.',
    'Set `kubeconfig`. A secret of an environment is empty in a job that does not name the environment.',
  ],
  'kubeconfig-no-cluster': [
    failed,
    'The kubeconfig names no cluster for its current context.',
    'Set `context`, or add `current-context` to the kubeconfig.',
  ],
  'kubeconfig-no-context': [
    failed,
    'The kubeconfig has no context of the name in `context`.',
    'Set `context` to one of those that the message lists.',
  ],
  'kubeconfig-not-found': [
    failed,
    'The text is neither the path of a file on the runner nor a kubeconfig.',
    'Give the path from the workspace, or the whole content of the kubeconfig.',
  ],
  'kubeconfig-proxy-invalid': [
    failed,
    'The `proxy-url` in the kubeconfig is no address of a proxy.',
    'Write it like `http://proxy.example.com:3128`.',
  ],
  'kubeconfig-server-insecure': [
    failed,
    'The address of the API server has `http:`, so the credentials would go in clear text. Nothing was sent.',
    'Use the address with `https:` and its certificate authority.',
  ],
  'kubeconfig-server-invalid': [
    failed,
    "The address of the API server in the kubeconfig can't be read as an address.",
    'Write it like `https://api.example.com:6443`.',
  ],
  'kubeconfig-token-invalid': [
    failed,
    'The token in the kubeconfig has line ends or other characters that no token has.',
    'Put the token alone into one line.',
  ],
  'kubeconfig-too-large': [
    failed,
    'The file is larger than any kubeconfig.',
    'See that the path is that of the kubeconfig.',
  ],
  'kubeconfig-unreadable': [
    failed,
    "The kubeconfig is not the YAML of a kubeconfig, or a file that it names can't be read.",
    'Try it: `kubectl --kubeconfig FILE get namespaces`.',
  ],
  'namespace-not-found': [
    failed,
    'There is no such namespace in this cluster.',
    'Check `namespace`, `kubeconfig` and `context`: it may be another cluster.',
  ],
  'node-too-old': [
    failed,
    'The program was started with a Node that is older than 24. Nothing was connected.',
    'Install Node 24 or newer, or use the image `node:24`.',
  ],
  'password-unusable': [
    failed,
    "The key of the Secret holds something that can't be a password: bytes that are no text, or several lines.",
    "Set `secret-key` to the key with the superuser's password.",
  ],
  'pull-request-other-base': [
    failed,
    'A pull request with this branch is open, and goes into another base branch.',
    'Set `pull-request-base` to that base, or close that pull request and delete its branch.',
  ],
  'pvc-ambiguous': [
    failed,
    "PostgreSQL's pod mounts several claims, and any of them may hold the data.",
    'Set `pvc-name` to the claim with the data directory.',
  ],
  'pvc-not-found': [
    failed,
    "PostgreSQL's pod mounts no claim, or the claim does not exist.",
    'See that PostgreSQL has run at least once, and that nobody deleted the claim. Set `pvc-name` if it has another name.',
  ],
  'pvc-not-mounted': [
    failed,
    "PostgreSQL's pod does not mount the claim in `pvc-name`, or mounts it more than once.",
    'Set `pvc-name` to one of the claims that the message lists.',
  ],
  'release-unknown': [
    failed,
    'No tag of the PostgreSQL 14 image is known for the release in `server-release`.',
    'Set `image-tag` to the tag that your release has.',
  ],
  'resources-invalid': [
    failed,
    "The input `resources` is not in the form of a container's resources.",
    'Write it like `{requests: {cpu: 200m, memory: 512Mi}, limits: {cpu: "4", memory: 2Gi}}`.',
  ],
  'secret-key-not-found': [
    failed,
    "The Secret with the superuser's password has no such key.",
    'Set `secret-key` to one of the keys that the message lists.',
  ],
  'secret-not-found': [
    failed,
    "The Secret with the superuser's password does not exist, or the StatefulSet names none.",
    'Set `secret-name` and `secret-key`.',
  ],
  'statefulset-ambiguous': [
    failed,
    'Several StatefulSets have the label `app.kubernetes.io/name=postgresql`.',
    'Set `statefulset` to the one to upgrade.',
  ],
  'statefulset-not-found': [
    failed,
    'There is no StatefulSet of that name, or none has the label `app.kubernetes.io/name=postgresql`.',
    "Set `statefulset`. The action can't upgrade a PostgreSQL outside the cluster.",
  ],
} as const satisfies Readonly<Record<string, CodeRow>>;
