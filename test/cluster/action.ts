// A run of the bundle on the bench, by its administrator unless another kubeconfig is given.
import type { ChildProcess } from 'node:child_process';
import type { Report } from '../../src/report/report.ts';
import { startBundle, type BundleEnd, type InputValues } from '../bundle.ts';
import { environment } from './bench.ts';

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
  return { process, end: end.then(endOf), log: stdout };
}

export async function runAction(inputs: InputValues, variables?: Record<string, string>): Promise<ActionEnd> {
  return await startAction(inputs, variables).end;
}

function endOf({ stdout, stderr, reportText, ...end }: BundleEnd): ActionEnd {
  return { ...end, log: stdout + stderr, report: JSON.parse(reportText) as Report };
}
