import { systemClock } from './adapters/clock.ts';
import { runCommands } from './adapters/commands.ts';
import { nodeCrypto } from './adapters/crypto.ts';
import { takeEnvironment, withInputs, type Environment } from './adapters/environment.ts';
import { readEvent, readScripts } from './adapters/files.ts';
import { captureProcessOutput } from './adapters/process-output.ts';
import { githubRunner, logWritten } from './adapters/runner.ts';
import { terminal } from './adapters/terminal.ts';
import { isRunError, type RunError } from './common/errors.ts';
import { expectNode, helpText, nameWithVersion, parseCommandLine, type CommandLine } from './inputs/command-line.ts';
import { isWorkflow } from './inputs/guards.ts';
import type { Inputs } from './inputs/inputs.ts';
import { tellUnfinished } from './post.ts';
import { redactedGitHub } from './redaction/redacted-github.ts';
import { redacted } from './redaction/redacted-runner.ts';
import { Redactor } from './redaction/redactor.ts';
import { run, tellError, type Adapters } from './run.ts';
import { vocabulary } from './vocabulary.ts';

/** Of package.json, by scripts/bundle.ts. */
declare const ACTION_VERSION: string;

const given = takeEnvironment(process.env);
const words = process.argv.slice(2);
const asked = readCommandLine(words, given);
const environment = 'environment' in asked ? asked.environment : given;
const screen = isWorkflow(environment.get)
  ? undefined
  : terminal(environment, asked.asks === 'run' ? systemClock : undefined);
const redactor = new Redactor(vocabulary);
const runner = redacted(screen?.runner ?? githubRunner(environment), redactor);
captureProcessOutput(runner.log);

type Asked =
  | { readonly asks: 'help' | 'version' }
  | { readonly asks: 'run'; readonly environment: Environment }
  | { readonly asks: 'nothing'; readonly error: RunError };

/** A runner gives no flags, and inputs as variables; flags become such variables. */
function readCommandLine(flags: readonly string[], variables: Environment): Asked {
  if (flags.length === 0) return { asks: 'run', environment: variables };
  try {
    expectNode(process.versions.node);
    const line: CommandLine = parseCommandLine(flags);
    if (line.asks !== 'run') return line;
    const token = variables.get('GITHUB_TOKEN');
    return {
      asks: 'run',
      environment: withInputs(variables, { ...(token === '' ? {} : { 'github-token': token }), ...line.inputs }),
    };
  } catch (error) {
    if (!isRunError(error)) throw error;
    return { asks: 'nothing', error };
  }
}

const cancelled = new AbortController();

/** GitHub cancels by SIGINT, 7.5 s later SIGTERM, 2.5 s later SIGKILL. The first asks for an orderly end, a second one ends at once. */
function cancel(): void {
  if (cancelled.signal.aborted) process.exit(1);
  runner.log.info('Cancelled: ending the run in order');
  cancelled.abort();
}
process.on('SIGINT', cancel);
process.on('SIGTERM', cancel);

/** Milliseconds for which the API server may be away: an upgrade does not fail over its restart, a check tells of it soon. */
function patienceOf(mode: Inputs['mode']): number {
  return mode === 'precheck' || mode === 'status' ? 15_000 : 180_000;
}

const adapters: Adapters = {
  version: ACTION_VERSION,
  runner,
  clock: systemClock,
  crypto: nodeCrypto,
  signal: cancelled.signal,
  async connect(inputs) {
    // The Kubernetes library is most of the bundle: a run that ends on a wrong input never loads it.
    const { connectCluster } = await import('./adapters/cluster.ts');
    return connectCluster({
      kubeconfig: inputs.kubeconfig,
      context: inputs.context,
      environmentKubeconfig: runner.environment('KUBECONFIG'),
      patience: patienceOf(inputs.mode),
      clock: systemClock,
      log: runner.log,
      mask: (secret, name) => {
        runner.mask(secret, { name });
      },
    });
  },
  async connectGitHub(token) {
    const { connectGitHub } = await import('./adapters/github.ts');
    const github = connectGitHub({
      token,
      clock: systemClock,
      log: runner.log,
      environment: (name) => runner.environment(name),
    });
    return redactedGitHub(github, redactor);
  },
  scripts: () => readScripts(import.meta.dirname),
  runCommands,
  readEvent: () => readEvent(runner.environment('GITHUB_EVENT_PATH')),
};
if (asked.asks === 'help') runner.log.info(helpText(ACTION_VERSION));
else if (asked.asks === 'version') runner.log.info(nameWithVersion(ACTION_VERSION));
else if (asked.asks === 'nothing') tellError(runner, asked.error);
// The runner starts this file a second time when the job is over.
else await (runner.state('isPost') === '' ? run(adapters) : tellUnfinished(adapters));
screen?.listOutputs();
if (screen !== undefined && words.length === 0) runner.log.info('Run "node dist/index.js --help" for the flags.');
// A socket that is kept alive must not keep the step from ending; the end of a long log may still be on its way into the pipe.
await logWritten();
process.exit();
