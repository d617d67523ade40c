// Runs one of the example workflows, as it is, by a workflow runner on this machine (https://nektosact.com): its steps
// are processes of this machine, the action is this project's action.yml and dist/, and GitHub's API is the double.
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { load } from 'js-yaml';
import { environment, namespace, root } from '../cluster/bench.ts';
import { expectNoSecrets } from '../cluster/no-secrets.ts';
import type { GitHubDouble } from '../github/double.ts';
import { appToken, jobToken, type Token } from '../github/token.ts';
import { RunnerLog, type WorkflowEnd } from './runner-log.ts';

export interface Circumstances {
  readonly github: GitHubDouble;
  /** By name, as `workflow_dispatch` takes them; undefined for a schedule, which has none. */
  readonly inputs: Readonly<Record<string, string>> | undefined;
  /** The repository's, besides GITHUB_TOKEN. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Whether a GitHub App opens the pull request: the lines for it are in the file as comments. */
  readonly app?: boolean;
  /** Milliseconds after which the run is ended, and is red; without it the run ends by itself. */
  readonly limit?: number;
  /** Gets each line of the log when it is said. */
  readonly onLine?: (line: string) => void;
}

export interface FinishedWorkflow extends WorkflowEnd {
  /** The files of each artifact that the run keeps, by name. */
  readonly artifacts: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

interface Step {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string>>;
}

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

interface DispatchInput {
  readonly type?: string;
  readonly options?: readonly string[];
}

interface Workflow {
  readonly on: {
    readonly schedule?: unknown;
    readonly workflow_dispatch?: { readonly inputs?: Readonly<Record<string, DispatchInput>> } | null;
  };
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

/** What the workflow's own token is here; besides it the double takes only that of the App. */
const workflowToken = 'ghs_0123456789abcdef0123456789abcdef0123';
const installationToken = 'ghs_fedcba9876543210fedcba9876543210fedc';
/** What an administrator sets for the App. */
const appVariables = { UPGRADE_APP_CLIENT_ID: 'Iv23liExample' };
const appSecrets = {
  UPGRADE_APP_PRIVATE_KEY: '-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n',
};

/** Actions of others, which this machine does not download. */
const doubles = path.join(import.meta.dirname, 'actions');

/**
 * Runs a file of .github/workflows/examples on the event workflow_dispatch, or on its schedule.
 * @throws Error when GitHub would not start it so, or the runner itself fails
 */
export async function runWorkflow(file: string, circumstances: Circumstances): Promise<FinishedWorkflow> {
  expectNode();
  // Builds the runner when it is not there yet, and says so.
  execFileSync(path.join(root, 'bench/act'), ['--version'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const asItIs = readFileSync(path.join(root, '.github/workflows/examples', file), 'utf8');
  const installed = asItIs.replaceAll('circleci-server', namespace);
  const text = circumstances.app === true ? withApp(installed) : installed;
  const workflow = load(text) as Workflow;
  expectStartable(workflow, circumstances.inputs);
  const job = onlyJob(workflow);
  circumstances.github.tokens.set(workflowToken, tokenFor(job.permissions ?? workflow.permissions, jobToken));
  circumstances.github.tokens.set(installationToken, tokenFor(appPermissions(job), appToken));
  const directory = mkdtempSync(path.join(tmpdir(), 'workflow-'));
  try {
    layOut(directory, circumstances);
    writeFileSync(path.join(directory, file), text);
    const log = new RunnerLog(circumstances.onLine);
    const child = spawn(path.join(root, 'bench/act'), runnerArguments(file, job, directory, circumstances), {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: circumstances.limit,
      // All of it is seen by the steps.
      env: {
        // The runner takes `node` from PATH for the action.
        PATH: `${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
        // Nobody's settings for the runner, and nothing of it left behind.
        HOME: directory,
        BENCH_CACHE: environment['BENCH_CACHE'] ?? '',
        ACT_DISABLE_VERSION_CHECK: '1',
      },
    });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString('utf8')));
    const [exitCode] = await Promise.all([
      new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve)),
      readLines(child.stdout, log),
    ]);
    if (log.jobResult === undefined) throw new Error(`No job of ${file} ran:\n${errors}${log.end(false).log}`);
    const end = log.end(exitCode === 0 && log.jobResult === 'success');
    const artifacts = readFolders(path.join(directory, 'artifacts'));
    const kept = JSON.stringify([end.outputs, artifacts]);
    expectNoSecrets({ log: end.log, summary: end.summary, outputs: kept });
    return { ...end, artifacts };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function readLines(stream: NodeJS.ReadableStream, log: RunnerLog): Promise<void> {
  for await (const line of createInterface({ input: stream })) log.read(line);
}

/** What the runner's arguments name, in its working directory. */
function layOut(directory: string, { secrets, app }: Circumstances): void {
  for (const name of ['action.yml', 'dist'])
    cpSync(path.join(root, name), path.join(directory, 'action', name), { recursive: true });
  cpSync(doubles, path.join(directory, 'actions'), { recursive: true });
  mkdirSync(path.join(directory, 'artifacts'));
  // Empty, as without a checkout.
  mkdirSync(path.join(directory, 'workspace'));
  // JSON is YAML, which keeps the line ends of a kubeconfig. In a file, so that no list of processes shows them.
  const text = JSON.stringify({ GITHUB_TOKEN: workflowToken, ...secrets, ...(app === true ? appSecrets : {}) });
  writeFileSync(path.join(directory, 'secrets.yaml'), text, { mode: 0o600 });
}

/** The texts of the files in each folder of a directory. */
function readFolders(directory: string): Record<string, Record<string, string>> {
  const entries = (folder: string) => readdirSync(folder).map((name) => [name, path.join(folder, name)] as const);
  return Object.fromEntries(
    entries(directory).map(([name, folder]) => [
      name,
      Object.fromEntries(entries(folder).map(([file, where]) => [file, readFileSync(where, 'utf8')])),
    ]),
  );
}

function runnerArguments(file: string, job: Job, directory: string, { github, inputs, app }: Circumstances): string[] {
  const { owner, name } = github.state.repository;
  const branch = github.state.git.defaultBranch();
  const environment = {
    GITHUB_API_URL: github.apiUrl,
    GITHUB_SERVER_URL: github.serverUrl,
    GITHUB_REPOSITORY: `${owner}/${name}`,
    GITHUB_REPOSITORY_OWNER: owner,
    GITHUB_REF: `refs/heads/${branch}`,
    // What the runner takes for GITHUB_SHA.
    SHA_REF: github.state.git.head(branch) ?? '',
    // For the doubles of actions.
    ARTIFACTS: path.join(directory, 'artifacts'),
    ...(app === true ? { APP_TOKEN: installationToken } : {}),
  };
  const pairs = (flag: string, values: Readonly<Record<string, string>>) =>
    Object.entries(values).flatMap(([key, value]) => [flag, `${key}=${value}`]);
  return [
    ...[inputs === undefined ? 'schedule' : 'workflow_dispatch', '--json', '--rm', '--workflows', path.join(directory, file)],
    // On this machine: no containers, no downloads.
    ...['--platform', 'ubuntu-latest=-self-hosted', '--container-daemon-socket', '-', '--no-cache-server'],
    ...['--action-offline-mode', ...pairs('--local-repository', foldersOf(job))],
    // From here on paths are the workspace's.
    ...['--directory', 'workspace', '--secret-file', '../secrets.yaml'],
    ...pairs('--env', environment),
    ...pairs('--var', app === true ? appVariables : {}),
    ...pairs('--input', inputs ?? {}),
  ];
}

/**
 * What GitHub asks of a start.
 * @throws Error for an event that does not start it, an input that it does not have, or none of the choices
 */
function expectStartable({ on }: Workflow, inputs: Circumstances['inputs']): void {
  if (inputs === undefined) {
    if (on.schedule === undefined) throw new Error('the workflow has no schedule');
    return;
  }
  if (on.workflow_dispatch === undefined) throw new Error('nobody can start the workflow by hand');
  for (const [name, value] of Object.entries(inputs)) {
    const input = on.workflow_dispatch?.inputs?.[name];
    if (input === undefined) throw new Error(`the workflow has no input ${name}`);
    const options = input.type === 'boolean' ? ['true', 'false'] : input.options;
    if (options?.includes(value) === false) throw new Error(`${value} is no choice of ${name}`);
  }
}

/** The file after an administrator has removed the "#" of what is for a GitHub App. */
function withApp(text: string): string {
  const changed = text.replace(/^( *)#(?=- | {2}|github-token:)/gm, '$1');
  if (changed === text) throw new Error('the file has no lines for a GitHub App');
  return changed;
}

/** The one job of an example. */
function onlyJob({ jobs }: Workflow): Job {
  const [job, ...others] = Object.values(jobs);
  if (job === undefined || others.length > 0) throw new Error('the workflow has not one job');
  return job;
}

/** Where the runner finds each `owner/repository@commit` that the job uses: a double, or this project, once. */
function foldersOf({ steps }: Job): Record<string, string> {
  const used = steps.filter((step): step is Required<Step> => step.uses !== undefined);
  const folders = used.map(({ uses, with: inputs }) => {
    const double = path.basename(uses.replace(/@.*/, ''));
    if (!existsSync(path.join(doubles, double))) return [uses, 'action'] as const;
    const known = (load(readFileSync(path.join(doubles, double, 'action.yml'), 'utf8')) as { inputs: object }).inputs;
    const unknown = Object.keys(inputs).filter((name) => !(name in known));
    if (unknown.length > 0) throw new Error(`the double of ${uses} has no input ${unknown.join(', ')}`);
    return [uses, `actions/${double}`] as const;
  });
  if (folders.filter(([, folder]) => folder === 'action').length !== 1) throw new Error('this action is not used once');
  return Object.fromEntries(folders);
}

/** What the step that gets the App's token asks for. */
function appPermissions({ steps }: Job): Readonly<Record<string, string>> {
  const inputs = steps.find(({ uses }) => uses?.startsWith('actions/create-github-app-token@') === true)?.with ?? {};
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, value]) => {
      const permission = /^permission-(.*)$/.exec(name)?.[1];
      return permission === undefined ? [] : [[permission, value]];
    }),
  );
}

/** What GitHub would let the token do: what the permissions name, nothing else. */
function tokenFor(permissions: Readonly<Record<string, string>>, of: Token): Token {
  const may = (permission: string) => (permissions[permission] === 'write' ? 'write' : 'read');
  const issues = may('issues') === 'write' ? 'write' : permissions['issues'] === 'read' ? 'read' : 'none';
  return { ...of, contents: may('contents'), pullRequests: may('pull-requests'), issues };
}

/** GitHub's runner brings the Node that action.yml names; this one has to be started with it. */
function expectNode(): void {
  const wanted = /^ {2}using: node(\d+)$/m.exec(readFileSync(path.join(root, 'action.yml'), 'utf8'))?.[1];
  if (process.versions.node.split('.')[0] === wanted) return;
  throw new Error(`action.yml asks for Node ${wanted ?? '?'}, this is ${process.version}: use scripts/node24`);
}
