// Runs one of the example workflows, as it is, by a workflow runner on this machine (https://nektosact.com): its steps
// are processes of this machine, the action is this project's action.yml and dist/, and GitHub's API is the double.
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { load } from 'js-yaml';
import { environment, root } from '../cluster/bench.ts';
import { expectNoSecrets } from '../cluster/no-secrets.ts';
import type { GitHubDouble } from '../github/double.ts';
import { jobToken, type Token } from '../github/token.ts';
import { RunnerLog, type WorkflowEnd } from './runner-log.ts';

export interface Circumstances {
  readonly github: GitHubDouble;
  /** By name, as `workflow_dispatch` takes them. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** The repository's, besides GITHUB_TOKEN. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Milliseconds after which the run is ended, and is red; without it the run ends by itself. */
  readonly limit?: number;
  /** Gets each line of the log when it is said. */
  readonly onLine?: (line: string) => void;
}

interface Job {
  readonly permissions: Readonly<Record<string, string>>;
  readonly steps: readonly { readonly uses?: string }[];
}

/** What the workflow's own token is here; the double takes no other. */
const workflowToken = 'ghs_0123456789abcdef0123456789abcdef0123';

/**
 * Runs a file of .github/workflows/examples on the event workflow_dispatch.
 * @throws Error when the runner itself fails
 */
export async function runWorkflow(file: string, circumstances: Circumstances): Promise<WorkflowEnd> {
  expectNode();
  // Builds the runner when it is not there yet, and says so.
  execFileSync(path.join(root, 'bench/act'), ['--version'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const workflow = path.join(root, '.github/workflows/examples', file);
  const job = readJob(workflow);
  circumstances.github.tokens.set(workflowToken, tokenFor(job));
  const directory = mkdtempSync(path.join(tmpdir(), 'workflow-'));
  try {
    layOut(directory, circumstances.secrets ?? {});
    const log = new RunnerLog(circumstances.onLine);
    const child = spawn(path.join(root, 'bench/act'), runnerArguments(workflow, job, circumstances), {
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
    expectNoSecrets({ log: end.log, summary: end.summary, outputs: JSON.stringify(end.outputs) });
    return end;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function readLines(stream: NodeJS.ReadableStream, log: RunnerLog): Promise<void> {
  for await (const line of createInterface({ input: stream })) log.read(line);
}

/** What the runner's arguments name, in its working directory. */
function layOut(directory: string, secrets: Readonly<Record<string, string>>): void {
  for (const name of ['action.yml', 'dist'])
    cpSync(path.join(root, name), path.join(directory, 'action', name), { recursive: true });
  // Empty, as without a checkout.
  mkdirSync(path.join(directory, 'workspace'));
  // JSON is YAML, which keeps the line ends of a kubeconfig. In a file, so that no list of processes shows them.
  const text = JSON.stringify({ GITHUB_TOKEN: workflowToken, ...secrets });
  writeFileSync(path.join(directory, 'secrets.yaml'), text, { mode: 0o600 });
}

function runnerArguments(workflow: string, job: Job, { github, inputs }: Circumstances): string[] {
  const { owner, name } = github.state.repository;
  const branch = github.state.git.defaultBranch();
  const variables = {
    GITHUB_API_URL: github.apiUrl,
    GITHUB_SERVER_URL: github.serverUrl,
    GITHUB_REPOSITORY: `${owner}/${name}`,
    GITHUB_REPOSITORY_OWNER: owner,
    GITHUB_REF: `refs/heads/${branch}`,
    // What the runner takes for GITHUB_SHA.
    SHA_REF: github.state.git.head(branch) ?? '',
  };
  const pairs = (flag: string, values: Readonly<Record<string, string>>) =>
    Object.entries(values).flatMap(([key, value]) => [flag, `${key}=${value}`]);
  return [
    ...['workflow_dispatch', '--json', '--rm', '--workflows', workflow],
    // On this machine: no containers, no downloads.
    ...['--platform', 'ubuntu-latest=-self-hosted', '--container-daemon-socket', '-', '--no-cache-server'],
    ...['--action-offline-mode', '--local-repository', `${usedAction(job)}=action`],
    // From here on paths are the workspace's.
    ...['--directory', 'workspace', '--secret-file', '../secrets.yaml'],
    ...pairs('--env', variables),
    ...pairs('--input', inputs ?? {}),
  ];
}

/** The one job of an example. */
function readJob(workflow: string): Job {
  const { jobs } = load(readFileSync(workflow, 'utf8')) as { readonly jobs: Readonly<Record<string, Job>> };
  const [job, ...others] = Object.values(jobs);
  if (job === undefined || others.length > 0) throw new Error(`${workflow} has not one job`);
  return job;
}

/** `owner/repository@commit` of the one action that the job uses. */
function usedAction({ steps }: Job): string {
  const [used, ...others] = steps.flatMap((step) => step.uses ?? []);
  if (used === undefined || others.length > 0) throw new Error(`not one action: ${[used, ...others].join(', ')}`);
  return used;
}

/** What GitHub would let the job's token do: what its permissions name, nothing else. */
function tokenFor({ permissions }: Job): Token {
  const may = (permission: string) => (permissions[permission] === 'write' ? 'write' : 'read');
  const issues = may('issues') === 'write' ? 'write' : permissions['issues'] === 'read' ? 'read' : 'none';
  return { ...jobToken, contents: may('contents'), pullRequests: may('pull-requests'), issues };
}

/** GitHub's runner brings the Node that action.yml names; this one has to be started with it. */
function expectNode(): void {
  const wanted = /^ {2}using: node(\d+)$/m.exec(readFileSync(path.join(root, 'action.yml'), 'utf8'))?.[1];
  if (process.versions.node.split('.')[0] === wanted) return;
  throw new Error(`action.yml asks for Node ${wanted ?? '?'}, this is ${process.version}: use scripts/node24`);
}
