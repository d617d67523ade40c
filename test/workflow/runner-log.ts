// What a workflow run says and gives, out of the runner's log: a line of JSON each.
import { z } from 'zod';
import { parseCommands } from '../scenario/workflow-commands.ts';

export interface WorkflowEnd {
  /** Whether GitHub would show the run as green. */
  readonly succeeded: boolean;
  /** What the log shows, groups unfolded. */
  readonly log: string;
  /** By the step's id. */
  readonly outputs: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Of all steps, in their order. */
  readonly summary: string;
}

const lineShape = z.object({
  msg: z.string(),
  level: z.string(),
  raw_output: z.boolean().optional(),
  /** A workflow command; `raw` is the line as the step wrote it. */
  command: z.string().optional(),
  raw: z.string().optional(),
  stepID: z.array(z.string()).optional(),
  stepResult: z.string().optional(),
  jobResult: z.string().optional(),
  /** Of the output. */
  name: z.string().optional(),
  arg: z.string().optional(),
  /** Of the summary: its file is gone when the runner ends. */
  content: z.string().optional(),
});
type Line = z.infer<typeof lineShape>;

export class RunnerLog {
  jobResult: string | undefined;
  private readonly onLine: (line: string) => void;
  private readonly shown: string[] = [];
  private readonly outputs: Record<string, Record<string, string>> = {};
  private readonly summaries: string[] = [];

  constructor(onLine: (line: string) => void = () => undefined) {
    this.onLine = onLine;
  }

  read(text: string): void {
    const line = lineShape.parse(JSON.parse(text));
    this.jobResult = line.jobResult ?? this.jobResult;
    if (line.command === 'set-output') (this.outputs[line.stepID?.[0] ?? ''] ??= {})[line.name ?? ''] = line.arg ?? '';
    if (line.command === 'summary') this.summaries.push(line.content ?? '');
    const shown = shownAs(line);
    if (shown === undefined) return;
    this.shown.push(shown);
    this.onLine(shown);
  }

  end(succeeded: boolean): WorkflowEnd {
    return { succeeded, log: this.shown.join('\n'), outputs: this.outputs, summary: this.summaries.join('\n') };
  }
}

/** As GitHub's page shows it; undefined for what it does not show. */
function shownAs(line: Line): string | undefined {
  const text = line.msg.trimEnd();
  if (line.raw_output === true) return `    ${text}`;
  if (line.command !== undefined) return commandAs((line.raw ?? '').trimEnd());
  const tells = line.stepResult !== undefined || line.jobResult !== undefined || line.level === 'error';
  return tells || text.startsWith('⭐ Run Main') ? text : undefined;
}

function commandAs(raw: string): string | undefined {
  const [command] = parseCommands(raw);
  if (command?.name === 'group') return `  ▸ ${command.message}`;
  if (command === undefined || !['error', 'warning', 'notice'].includes(command.name)) return undefined;
  return `    ${command.name}: ${command.properties['title'] ?? ''}: ${command.message}`;
}
