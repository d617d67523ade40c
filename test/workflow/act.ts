// Runs a workflow file by a workflow runner on this machine (https://nektosact.com): its steps are processes of this machine, the action is this
// project's action.yml and dist/, and actions of others are doubles.
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { load } from 'js-yaml';
import { RunnerLog, type WorkflowEnd } from './runner-log.ts';

type Values = Readonly<Record<string, string>>;

/** A workflow, and how it is started. */
export interface ActRun {
  /** The name of the file, and what is in it. */
  readonly file: string;
  readonly text: string;
  readonly event: 'workflow_dispatch' | 'schedule';
  readonly inputs: Values;
  readonly secrets: Values;
  /** The repository's. */
  readonly variables: Values;
  /** What each step sees besides. */
  readonly environment: Values;
  /** Folders in which the steps find programs before those of the machine. */
  readonly programs?: string;
  /** Milliseconds after which the run is ended, and is red; without it the run ends by itself. */
  readonly limit?: number | undefined;
  /** Gets each line of the log when it is said. */
  readonly onLine?: ((line: string) => void) | undefined;
}

export interface FinishedWorkflow extends WorkflowEnd {
  /** The files of each artifact that the run keeps, by name. */
  readonly artifacts: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface Step {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string>>;
}

const root = path.resolve(import.meta.dirname, '../..');
/** Actions of others, which this machine does not download. */
const doubles = path.join(import.meta.dirname, 'actions');

/** @throws Error when the runner itself fails, or a double of an action lacks what the file uses */
export async function runByAct(run: ActRun): Promise<FinishedWorkflow> {
  expectNode();
  // Builds the runner when it is not there yet, and says so.
  execFileSync(path.join(root, 'bench/act'), ['--version'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const directory = mkdtempSync(path.join(tmpdir(), 'workflow-'));
  try {
    layOut(directory, run);
    const log = new RunnerLog(run.onLine);
    const child = spawn(path.join(root, 'bench/act'), runnerArguments(directory, run), {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: run.limit,
      // All of it is seen by the steps.
      env: {
        // The runner takes `node` from PATH for the action.
        PATH: [run.programs ?? [], path.dirname(process.execPath), process.env['PATH'] ?? ''].flat().join(':'),
        // Nobody's settings for the runner, and nothing of it left behind.
        HOME: directory,
        // Where act is built; it is in the home directory unless something else is said.
        BENCH_CACHE: process.env['BENCH_CACHE'] ?? path.join(homedir(), '.cache/circleci-server-postgresql-bench'),
        ACT_DISABLE_VERSION_CHECK: '1',
      },
    });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString('utf8')));
    const [exitCode] = await Promise.all([
      new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve)),
      readLines(child.stdout, log),
    ]);
    if (log.jobResult === undefined) throw new Error(`No job of ${run.file} ran:\n${errors}${log.end(false).log}`);
    const end = log.end(exitCode === 0 && log.jobResult === 'success');
    return { ...end, artifacts: readFolders(path.join(directory, 'artifacts')) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function readLines(stream: NodeJS.ReadableStream, log: RunnerLog): Promise<void> {
  for await (const line of createInterface({ input: stream })) log.read(line);
}

/** What the runner's arguments name, in its working directory. */
function layOut(directory: string, { file, text, secrets }: ActRun): void {
  for (const name of ['action.yml', 'dist'])
    cpSync(path.join(root, name), path.join(directory, 'action', name), { recursive: true });
  cpSync(doubles, path.join(directory, 'actions'), { recursive: true });
  mkdirSync(path.join(directory, 'artifacts'));
  // Empty, as without a checkout.
  mkdirSync(path.join(directory, 'workspace'));
  writeFileSync(path.join(directory, file), text);
  // JSON is YAML, which keeps the line ends of a kubeconfig. In a file, so that no list of processes shows them.
  writeFileSync(path.join(directory, 'secrets.yaml'), JSON.stringify(secrets), { mode: 0o600 });
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

function runnerArguments(directory: string, run: ActRun): string[] {
  const pairs = (flag: string, values: Values) =>
    Object.entries(values).flatMap(([key, value]) => [flag, `${key}=${value}`]);
  return [
    ...[run.event, '--json', '--rm', '--workflows', path.join(directory, run.file)],
    // On this machine: no containers, no downloads.
    ...['ubuntu-latest', 'ubuntu-24.04'].flatMap((name) => ['--platform', `${name}=-self-hosted`]),
    ...['--container-daemon-socket', '-', '--no-cache-server', '--no-skip-checkout'],
    ...['--action-offline-mode', ...pairs('--local-repository', foldersOf(run.text))],
    // From here on paths are the workspace's.
    ...['--directory', 'workspace', '--secret-file', '../secrets.yaml'],
    // For the doubles that keep files.
    ...pairs('--env', { ...run.environment, ARTIFACTS: path.join(directory, 'artifacts') }),
    ...pairs('--var', run.variables),
    ...pairs('--input', run.inputs),
  ];
}

/** Where the runner finds each `owner/repository@commit` that the file uses: a double, or this project. */
function foldersOf(text: string): Record<string, string> {
  const { jobs } = load(text) as { readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>> };
  const steps = Object.values(jobs).flatMap((job) => job.steps);
  const folders = steps.flatMap(({ uses, with: inputs = {} }): [uses: string, folder: string][] => {
    if (uses === undefined) return [];
    const double = path.basename(uses.replace(/@.*/, ''));
    if (!existsSync(path.join(doubles, double))) return [[uses, 'action']];
    const known = (load(readFileSync(path.join(doubles, double, 'action.yml'), 'utf8')) as { inputs: object }).inputs;
    const unknown = Object.keys(inputs).filter((name) => !(name in known));
    if (unknown.length > 0) throw new Error(`the double of ${uses} has no input ${unknown.join(', ')}`);
    return [[uses, `actions/${double}`]];
  });
  const own = new Set(folders.flatMap(([uses, folder]) => (folder === 'action' ? [uses] : [])));
  if (own.size > 1) throw new Error(`only one of these is this action: ${[...own].join(', ')}`);
  return Object.fromEntries(folders);
}

/** GitHub's runner brings the Node that action.yml names; this one has to be started with it. */
function expectNode(): void {
  const wanted = /^ {2}using: node(\d+)$/m.exec(readFileSync(path.join(root, 'action.yml'), 'utf8'))?.[1];
  if (process.versions.node.split('.')[0] === wanted) return;
  throw new Error(`action.yml asks for Node ${wanted ?? '?'}, this is ${process.version}: use scripts/node24`);
}
