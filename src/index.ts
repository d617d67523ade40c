import { systemClock } from './adapters/clock.ts';
import { nodeCrypto } from './adapters/crypto.ts';
import { takeEnvironment } from './adapters/environment.ts';
import { readEvent, readScripts } from './adapters/files.ts';
import { captureProcessOutput } from './adapters/process-output.ts';
import { githubRunner, logWritten } from './adapters/runner.ts';
import type { Inputs } from './inputs/inputs.ts';
import { tellUnfinished } from './post.ts';
import { redactedGitHub } from './redaction/redacted-github.ts';
import { redacted } from './redaction/redacted-runner.ts';
import { Redactor } from './redaction/redactor.ts';
import { run, type Adapters } from './run.ts';
import { vocabulary } from './vocabulary.ts';

const redactor = new Redactor(vocabulary);
const runner = redacted(githubRunner(takeEnvironment(process.env)), redactor);
captureProcessOutput(runner.log);

const cancelled = new AbortController();

/** GitHub cancels by SIGINT, 7.5 s later SIGTERM, 2.5 s later SIGKILL. The first asks for an orderly end, a second one ends at once. */
function cancel(): void {
  if (cancelled.signal.aborted) process.exit(1);
  runner.log.info('Cancelled: coming to an orderly end');
  cancelled.abort();
}
process.on('SIGINT', cancel);
process.on('SIGTERM', cancel);

/** Milliseconds for which the API server may be away: an upgrade does not fail over its restart, a check tells of it soon. */
function patienceOf(mode: Inputs['mode']): number {
  return mode === 'precheck' || mode === 'status' ? 15_000 : 180_000;
}

const adapters: Adapters = {
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
  readEvent: () => readEvent(runner.environment('GITHUB_EVENT_PATH')),
};
// The runner starts this file a second time when the job is over.
await (runner.state('isPost') === '' ? run(adapters) : tellUnfinished(adapters));
// A socket that is kept alive must not keep the step from ending; the end of a long log may still be on its way into the pipe.
await logWritten();
process.exit();
