// A run of the bundle on the bench, by its administrator unless another kubeconfig is given.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Finding } from '../../src/findings/finding.ts';
import type { Report } from '../../src/report/report-shape.ts';
import { startBundle, type BundleEnd, type InputValues } from '../bundle.ts';
import { withoutMasks } from '../scenario/workflow-commands.ts';
import { environment } from './bench.ts';
import { keepRun } from './evidence.ts';
import { expectNoSecrets } from './no-secrets.ts';

export interface ActionEnd extends Omit<BundleEnd, 'stdout' | 'stderr' | 'reportText'> {
  /** Standard output and standard error. */
  readonly log: string;
  readonly report: Report;
}

export interface RunningAction {
  readonly process: ChildProcess;
  readonly end: Promise<ActionEnd>;
  /** What it has logged so far. */
  log(): string;
}

export function startAction(inputs: InputValues, variables: Record<string, string> = {}): RunningAction {
  const { process, end, stdout } = startBundle(inputs, {
    environment: { KUBECONFIG: environment['KUBECONFIG'], ...variables },
  });
  const kubeconfig = inputs['kubeconfig'] ?? variables['KUBECONFIG'];
  return { process, end: end.then((one) => endOf(one, kubeconfig, inputs['namespace'])), log: stdout };
}

export async function runAction(inputs: InputValues, variables?: Record<string, string>): Promise<ActionEnd> {
  return await startAction(inputs, variables).end;
}

/** Whether a check could not be told, though it was asked. */
export function isUntold({ status, ignored }: Finding): boolean {
  return status === 'unknown' && ignored === undefined;
}

/** Comes when the line is in the log of a run, or the run has ended without it. */
export async function saysInLog(action: RunningAction, line: string): Promise<void> {
  await new Promise<void>((resolve) => {
    action.process.stdout?.on('data', () => {
      if (action.log().includes(line)) resolve();
    });
    action.process.once('close', () => {
      resolve();
    });
  });
}

/**
 * Starts a run and kills its process (SIGKILL) as soon as this line is in its log.
 * @returns the last two lines that it could write
 */
export async function killActionAt(inputs: InputValues, line: string): Promise<string> {
  const action = startAction(inputs);
  const ended = once(action.process, 'close');
  // It can't write a report any more, and is not asked for one.
  action.end.catch(() => undefined);
  await saysInLog(action, line);
  action.process.kill('SIGKILL');
  const [, signal] = (await ended) as [number | null, NodeJS.Signals | null];
  if (signal !== 'SIGKILL') throw new Error(`It came to its end before it said "${line}":\n${action.log()}`);
  return action.log().trimEnd().split('\n').slice(-2).join(' ⏎ ');
}

function endOf({ stdout, stderr, reportText, ...end }: BundleEnd, kubeconfig?: string, server?: string): ActionEnd {
  const { summary, outputs, state } = end;
  const told = {
    log: withoutMasks(stdout),
    stderr,
    summary,
    report: reportText,
    kept: JSON.stringify([outputs, state]),
  };
  // The benchmarks run the action without Jest.
  const jest = globalThis as { expect?: { getState(): { testPath?: string } } };
  const testPath = jest.expect?.getState().testPath;
  keepRun(testPath ?? 'benchmark', { 'log.txt': stdout + stderr, 'report.json': reportText });
  expectNoSecrets(told, kubeconfig, server);
  return { ...end, log: stdout + stderr, report: JSON.parse(reportText) as Report };
}
