// A run of the bundle, with what holds for every end checked at once.
import type { ChildProcess } from 'node:child_process';
import { startBundle, type BundleEnd, type Circumstances, type InputValues } from '../bundle.ts';
import { describe } from '../../src/common/errors.ts';
import { reportShape, type Report } from '../../src/report/report-shape.ts';
import { groupTitles, parseCommands, type Command } from './workflow-commands.ts';

export type { Circumstances, InputValues } from '../bundle.ts';

export interface ActionEnd extends BundleEnd {
  readonly commands: readonly Command[];
  readonly groups: readonly string[];
  /** `title: message` of each ::error. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly notices: readonly string[];
  /** Undefined when the run ended without one. */
  readonly report: Report | undefined;
}

export interface RunningAction {
  readonly process: ChildProcess;
  readonly end: Promise<ActionEnd>;
  /** Resolves once the text is in the log. */
  logged(text: string): Promise<void>;
}

export function startAction(inputs: InputValues, circumstances?: Circumstances): RunningAction {
  const { process, end, stdout } = startBundle(inputs, circumstances);
  const logged = (text: string) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (stdout().includes(text)) resolve();
      };
      process.stdout?.on('data', look);
      look();
    });
  return { process, end: end.then(endOf), logged };
}

export async function runAction(inputs: InputValues, circumstances?: Circumstances): Promise<ActionEnd> {
  return await startAction(inputs, circumstances).end;
}

/** @throws Error when the end breaks what holds for every end: closed groups, the report's shape, its verdict */
function endOf(bundle: BundleEnd): ActionEnd {
  if (bundle.stderr !== '') throw new Error(`something was written to the standard error:\n${bundle.stderr}`);
  const commands = parseCommands(bundle.stdout);
  const annotations = (level: string) =>
    commands.filter((c) => c.name === level).map((c) => `${c.properties['title'] ?? ''}: ${c.message}`);
  const end: ActionEnd = {
    ...bundle,
    commands,
    groups: groupsOf(bundle, commands),
    errors: annotations('error'),
    warnings: annotations('warning'),
    notices: annotations('notice'),
    report: bundle.reportText === '' ? undefined : reportShape.parse(JSON.parse(bundle.reportText)),
  };
  if (end.errors.some((e) => e.startsWith('unexpected:')))
    throw new Error(`a fault of the action itself:\n${bundle.stdout}`);
  if (end.report !== undefined && bundle.outputs['verdict'] !== end.report.verdict)
    throw new Error('the output "verdict" is not the verdict of the report');
  return end;
}

/** @throws Error with the log, where a group is not closed: by its end it is known how the run ended */
function groupsOf({ stdout, exitCode }: BundleEnd, commands: readonly Command[]): string[] {
  try {
    return groupTitles(commands);
  } catch (error) {
    throw new Error(`${describe(error)}, exit code ${String(exitCode)}:\n${stdout}`, { cause: error });
  }
}
