// Runs dist/index.js under Node 24 as the runner does: inputs and files by environment variables.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { load } from 'js-yaml';
import { reportShape, type ReportFile } from './report-shape.ts';
import { groupTitles, parseCommands, parseValues, type Command } from './workflow-commands.ts';

const root = path.resolve(import.meta.dirname, '../..');
const bundle = path.join(root, 'dist/index.js');
if (!existsSync(bundle)) throw new Error('There is no dist/index.js: build it by npm run build');

const metadata = load(readFileSync(path.join(root, 'action.yml'), 'utf8')) as {
  readonly inputs: Readonly<Record<string, { readonly default?: string }>>;
  readonly outputs: Readonly<Record<string, unknown>>;
};

/** How the action is started, apart from its inputs. */
export interface Circumstances {
  /** The bundle, when it is another one than dist/index.js. */
  readonly bundle?: string;
  readonly event?: string;
  readonly payload?: unknown;
  /** Environment variables besides the runner's; undefined removes one of them. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

export interface ActionEnd {
  readonly exitCode: number | null;
  readonly seconds: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly commands: readonly Command[];
  readonly groups: readonly string[];
  /** `title: message` of each ::error. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly notices: readonly string[];
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly reportText: string;
  /** Undefined when the run ended without one. */
  readonly report: ReportFile | undefined;
}

export interface RunningAction {
  readonly process: ChildProcess;
  readonly end: Promise<ActionEnd>;
  /** Resolves once the text is in the log. */
  logged(text: string): Promise<void>;
}

export type InputValues = Readonly<Record<string, string>>;

export function startAction(inputs: InputValues, circumstances: Circumstances = {}): RunningAction {
  const directory = mkdtempSync(path.join(tmpdir(), 'runner-'));
  const file = (name: string, content: string) => {
    writeFileSync(path.join(directory, name), content);
    return path.join(directory, name);
  };
  const output = file('output', '');
  const summary = file('summary', '');
  const started = performance.now();
  const child = spawn(path.join(root, 'scripts/node24'), [circumstances.bundle ?? bundle], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: directory,
      GITHUB_ACTIONS: 'true',
      GITHUB_OUTPUT: output,
      GITHUB_STEP_SUMMARY: summary,
      GITHUB_STATE: file('state', ''),
      GITHUB_EVENT_NAME: circumstances.event ?? 'workflow_dispatch',
      GITHUB_EVENT_PATH: file('event.json', JSON.stringify(circumstances.payload ?? {})),
      GITHUB_SERVER_URL: 'https://github.example',
      GITHUB_REPOSITORY: 'admins/server',
      GITHUB_RUN_ID: '1',
      GITHUB_RUN_ATTEMPT: '1',
      RUNNER_TEMP: directory,
      ...inputVariables(inputs),
      ...circumstances.environment,
    },
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const end = new Promise<ActionEnd>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => {
      try {
        const seconds = (performance.now() - started) / 1000;
        resolve(endOf({ exitCode, seconds, stdout: stdout(), stderr: stderr() }, output, summary));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      } finally {
        rmSync(directory, { recursive: true });
      }
    });
  });
  const logged = (text: string) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (stdout().includes(text)) resolve();
      };
      child.stdout.on('data', look);
      look();
    });
  return { process: child, end, logged };
}

export async function runAction(inputs: InputValues, circumstances?: Circumstances): Promise<ActionEnd> {
  return await startAction(inputs, circumstances).end;
}

type Streams = Pick<ActionEnd, 'exitCode' | 'seconds' | 'stdout' | 'stderr'>;

/** @throws Error when the end breaks what holds for every end: closed groups, declared outputs, the report's shape */
function endOf(streams: Streams, outputFile: string, summaryFile: string): ActionEnd {
  const commands = parseCommands(streams.stdout);
  const annotations = (level: string) =>
    commands.filter((c) => c.name === level).map((c) => `${c.properties['title'] ?? ''}: ${c.message}`);
  const outputs = parseValues(readFileSync(outputFile, 'utf8'));
  const undeclared = Object.keys(outputs).filter((name) => !(name in metadata.outputs));
  if (undeclared.length > 0) throw new Error(`action.yml has no output ${undeclared.join(', ')}`);
  const reportText = outputs['report'] === undefined ? '' : readFileSync(outputs['report'], 'utf8');
  const end: ActionEnd = {
    ...streams,
    commands,
    groups: groupTitles(commands),
    errors: annotations('error'),
    warnings: annotations('warning'),
    notices: annotations('notice'),
    outputs,
    summary: existsSync(summaryFile) ? readFileSync(summaryFile, 'utf8') : '',
    reportText,
    report: reportText === '' ? undefined : reportShape.parse(JSON.parse(reportText)),
  };
  if (end.errors.some((e) => e.startsWith('unexpected:')))
    throw new Error(`a fault of the action itself:\n${streams.stdout}`);
  if (streams.stderr !== '') throw new Error(`something was written to the standard error:\n${streams.stderr}`);
  if (end.report !== undefined && outputs['verdict'] !== end.report.verdict)
    throw new Error('the output "verdict" is not the verdict of the report');
  return end;
}

/** As the runner passes them: all that action.yml has, with its defaults; upper case, a space is an underscore. */
function inputVariables(given: InputValues): Record<string, string> {
  const unknown = Object.keys(given).filter((name) => !(name in metadata.inputs));
  if (unknown.length > 0) throw new Error(`action.yml has no input ${unknown.join(', ')}`);
  return Object.fromEntries(
    Object.entries(metadata.inputs).map(([name, input]) => [
      `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`,
      given[name] ?? input.default ?? '',
    ]),
  );
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = [];
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
}
