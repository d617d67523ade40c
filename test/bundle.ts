// Runs dist/index.js under Node 24 as the runner does: inputs as variables, files for outputs and summary.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { load } from 'js-yaml';
import { parseValues } from './scenario/workflow-commands.ts';

const root = path.resolve(import.meta.dirname, '..');
const bundle = path.join(root, 'dist/index.js');
if (!existsSync(bundle)) throw new Error('There is no dist/index.js: build it by npm run build');

const metadata = load(readFileSync(path.join(root, 'action.yml'), 'utf8')) as {
  readonly inputs: Readonly<Record<string, { readonly default?: string }>>;
  readonly outputs: Readonly<Record<string, unknown>>;
};

/** By their names in a workflow; those not given have action.yml's defaults. */
export type InputValues = Readonly<Record<string, string>>;

/** How the action is started, apart from its inputs. */
export interface Circumstances {
  /** The bundle, when it is another one than dist/index.js. */
  readonly bundle?: string;
  readonly event?: string;
  readonly payload?: unknown;
  /** Whether a person starts it in a terminal: the inputs are flags, and nothing is there of a runner. */
  readonly inTerminal?: boolean;
  /** Environment variables besides the runner's; undefined removes one of them. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

export interface BundleEnd {
  readonly exitCode: number | null;
  readonly seconds: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
  /** What it noted for its post step. */
  readonly state: Readonly<Record<string, string>>;
  /** '' when the run ended without a report. */
  readonly reportText: string;
}

export interface RunningBundle {
  readonly process: ChildProcess;
  /** Rejected when an output is not one of action.yml's. */
  readonly end: Promise<BundleEnd>;
  /** What it has written so far. */
  readonly stdout: () => string;
}

export function startBundle(inputs: InputValues, circumstances: Circumstances = {}): RunningBundle {
  const directory = mkdtempSync(path.join(tmpdir(), 'runner-'));
  const file = (name: string, content: string) => {
    writeFileSync(path.join(directory, name), content);
    return path.join(directory, name);
  };
  const output = file('output', '');
  const summary = file('summary', '');
  const state = file('state', '');
  const started = performance.now();
  const isInTerminal = circumstances.inTerminal === true;
  const words = isInTerminal ? Object.entries(inputs).flatMap(([name, value]) => flag(name, value)) : [];
  const runner = {
    GITHUB_ACTIONS: 'true',
    GITHUB_OUTPUT: output,
    GITHUB_STEP_SUMMARY: summary,
    GITHUB_STATE: state,
    GITHUB_EVENT_NAME: circumstances.event ?? 'workflow_dispatch',
    GITHUB_EVENT_PATH: file('event.json', JSON.stringify(circumstances.payload ?? {})),
    GITHUB_SERVER_URL: 'https://github.example',
    GITHUB_REPOSITORY: 'admins/server',
    GITHUB_RUN_ID: '1',
    GITHUB_RUN_ATTEMPT: '1',
    RUNNER_TEMP: directory,
    ...inputVariables(inputs),
  };
  const child = spawn(path.join(root, 'scripts/node24'), [circumstances.bundle ?? bundle, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: directory,
      TMPDIR: directory,
      ...(isInTerminal ? {} : runner),
      ...circumstances.environment,
    },
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const end = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
    .then((exitCode) => {
      const seconds = (performance.now() - started) / 1000;
      const outputs = declared(parseValues(readFileSync(output, 'utf8')));
      return {
        exitCode,
        seconds,
        stdout: stdout(),
        stderr: stderr(),
        outputs,
        state: parseValues(readFileSync(state, 'utf8')),
        summary: existsSync(summary) ? readFileSync(summary, 'utf8') : '',
        reportText: outputs['report'] === undefined ? '' : readFileSync(outputs['report'], 'utf8'),
      };
    })
    .finally(() => {
      rmSync(directory, { recursive: true });
    });
  return { process: child, end, stdout };
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

/** An input as people write it. */
function flag(name: string, value: string): string[] {
  if (value === 'true') return [`--${name}`];
  return value === 'false' ? [`--no-${name}`] : [`--${name}`, value];
}

function declared(outputs: Record<string, string>): Record<string, string> {
  const undeclared = Object.keys(outputs).filter((name) => !(name in metadata.outputs));
  if (undeclared.length > 0) throw new Error(`action.yml has no output ${undeclared.join(', ')}`);
  return outputs;
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = [];
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
}
