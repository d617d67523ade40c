// Runs dist/index.js as the runner would: inputs as variables, files for outputs and summary.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { load } from 'js-yaml';
import type { Report } from '../../src/report/report.ts';
import { environment, root } from './bench.ts';

export interface ActionEnd {
  readonly exitCode: number | null;
  readonly log: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly summaryFile: string;
  readonly report: Report;
}

interface ActionFile {
  readonly inputs: Readonly<Record<string, { readonly default?: string }>>;
}

export interface RunningAction {
  readonly process: ChildProcess;
  readonly end: Promise<ActionEnd>;
  /** What it has logged so far. */
  log(): string;
}

/** Starts the action with inputs by their names in a workflow; those not given have action.yml's defaults. */
export function startAction(
  inputs: Readonly<Record<string, string>>,
  variables: Record<string, string> = {},
): RunningAction {
  const directory = mkdtempSync(path.join(tmpdir(), 'action-'));
  const outputFile = path.join(directory, 'output');
  const summaryFile = path.join(directory, 'summary');
  writeFileSync(outputFile, '');
  writeFileSync(summaryFile, '');
  const child = spawn(path.join(root, 'scripts/node24'), [path.join(root, 'dist/index.js')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      KUBECONFIG: environment['KUBECONFIG'] ?? '',
      GITHUB_OUTPUT: outputFile,
      GITHUB_STEP_SUMMARY: summaryFile,
      GITHUB_EVENT_NAME: 'workflow_dispatch',
      GITHUB_SERVER_URL: 'https://github.example',
      GITHUB_REPOSITORY: 'admins/server',
      GITHUB_RUN_ID: '1',
      GITHUB_RUN_ATTEMPT: '1',
      RUNNER_TEMP: directory,
      ...inputVariables(inputs),
      ...variables,
    },
  });
  let log = '';
  const collect = (chunk: Buffer) => {
    log += chunk.toString('utf8');
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const end = new Promise<ActionEnd>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => {
      const outputs = parseOutputs(readFileSync(outputFile, 'utf8'));
      const report = JSON.parse(readFileSync(outputs['report'] ?? '', 'utf8')) as Report;
      resolve({ exitCode, log, outputs, summary: readFileSync(summaryFile, 'utf8'), summaryFile, report });
    });
  });
  return { process: child, end, log: () => log };
}

export async function runAction(
  inputs: Readonly<Record<string, string>>,
  variables?: Record<string, string>,
): Promise<ActionEnd> {
  return await startAction(inputs, variables).end;
}

function inputVariables(given: Readonly<Record<string, string>>): Record<string, string> {
  const { inputs } = load(readFileSync(path.join(root, 'action.yml'), 'utf8')) as ActionFile;
  const unknown = Object.keys(given).filter((name) => !(name in inputs));
  if (unknown.length > 0) throw new Error(`action.yml has no input ${unknown.join(', ')}`);
  return Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [`INPUT_${name.toUpperCase()}`, given[name] ?? input.default ?? '']),
  );
}

/** name<<delimiter, the value, delimiter: how the toolkit writes outputs. */
function parseOutputs(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/^(\S+?)<<(\S+)\n([\s\S]*?)\n\2$/gm)].map((m) => [m[1] ?? '', m[3] ?? '']),
  );
}
