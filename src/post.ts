import { describe, sentence } from './common/errors.ts';
import { parseInputs } from './inputs/inputs.ts';
import { readStatus } from './modes/status.ts';
import { rehearsalLabel } from './objects/rehearsal.ts';
import { remedyMarkdown } from './report/remedy-markdown.ts';
import { copyable } from './text/commands.ts';
import { code, prose } from './text/markdown.ts';
import { remedyText, type Remedy } from './text/remedy.ts';
import { shell } from './text/shell.ts';
import { runIdOf, type Adapters } from './run.ts';

/** Milliseconds; an API server that is away must not hold up the job. */
const limit = 20_000;

/** Verdicts after which nothing of an upgrade is open, and all has been said. */
const closed: readonly string[] = ['upgraded', 'already-upgraded', 'reverted', 'rolled-back'];

/**
 * The post step: after a run that began an upgrade or a rehearsal and was killed, or ended in the middle, it tells what is unfinished and
 * what to run next. It only reads, and neither throws nor fails the job; where nothing is unfinished it says nothing.
 * Decision: docs/decisions/0009-resume-and-rollback.md
 */
export async function tellUnfinished(
  adapters: Pick<Adapters, 'runner' | 'clock' | 'crypto' | 'connect'>,
): Promise<void> {
  const { runner, clock } = adapters;
  tellRehearsal(adapters);
  const namespace = runner.state('began');
  if (namespace === '' || closed.includes(runner.state('ended'))) return;
  const over = new AbortController();
  const tooLate = clock.sleep(limit, over.signal).then(() => {
    throw new Error(`the cluster did not answer within ${String(limit / 1000)} s`);
  });
  tooLate.catch(() => undefined);
  try {
    await tell(adapters, await Promise.race([lookAt(adapters, over.signal), tooLate]));
  } catch (error) {
    await tell(adapters, {
      safe: `This run began an upgrade in namespace ${namespace}, which may be unfinished. The action can't read where it stands: ${sentence(describe(error))} Do not scale PostgreSQL and do not run helm upgrade.`,
      next: { text: '"mode: status" reports where it stands. "mode: upgrade" with the same inputs resumes it.' },
      evidence: [],
    });
  } finally {
    over.abort();
  }
}

/** A rehearsal that ended by itself has removed what it made, or said what it could not. */
function tellRehearsal({ runner }: Pick<Adapters, 'runner'>): void {
  const namespace = runner.state('rehearsed');
  if (namespace === '' || runner.state('ended') !== '') return;
  const list = copyable(shell`kubectl -n ${namespace} get pods,jobs,pvc,volumesnapshots -l ${rehearsalLabel}`);
  runner.log.annotate(
    'warning',
    'rehearsal',
    `This run was killed in a rehearsal in namespace ${namespace}. PostgreSQL and its volume are as they were. The next rehearsal, upgrade or cleanup removes what the rehearsal made. To see it: ${list}.`,
  );
}

interface Unfinished {
  readonly evidence: readonly string[];
  readonly safe: string;
  readonly next: Remedy;
}

/** Undefined when nothing is unfinished. */
async function lookAt(
  { runner, crypto, connect }: Pick<Adapters, 'runner' | 'crypto' | 'connect'>,
  signal: AbortSignal,
): Promise<Unfinished | undefined> {
  const inputs = parseInputs((name) => runner.input(name));
  const cluster = (await connect(inputs)).interruptedBy(signal);
  const { status } = await readStatus({ cluster, inputs, crypto, runner }, runIdOf(runner));
  return status.state === 'unfinished' ? status : undefined;
}

async function tell({ runner }: Pick<Adapters, 'runner'>, unfinished: Unfinished | undefined): Promise<void> {
  if (unfinished === undefined) return;
  const { evidence, safe, next } = unfinished;
  for (const line of evidence) runner.log.info(line);
  runner.log.annotate('warning', 'unfinished', `${safe} Next: ${remedyText(next)}`);
  const lines = [
    '# ! The upgrade is not finished',
    '',
    ...evidence.map((line) => `- ${code(line)}`),
    '',
    prose(safe),
    '',
    ...remedyMarkdown('**Next:** ', next),
  ];
  await runner.summarize(lines.join('\n'));
}
