import { ClusterError, describe, isRunError, sentence } from '../common/errors.ts';
import { remedyText } from '../text/remedy.ts';
import { keepIssue, type KeptIssue } from '../issue/keep.ts';
import type { ClusterModeContext } from './mode.ts';

/**
 * Updates the issue about the prechecks, if the inputs ask for one. The run's verdict and exit code
 * are those of the checks in any case: a failure is a warning.
 */
export async function keepPrecheckIssue(context: ClusterModeContext): Promise<void> {
  const { connectForIssue, log, timeline, progress } = context;
  if (connectForIssue === undefined) return;
  const title = 'Issue about the prechecks';
  progress.issue = await log.group(title, async () => {
    try {
      return await timeline.phase('issue', title, () => keep(context));
    } catch (error) {
      return failed(context, error);
    }
  });
  progress.results.warnings.push(...progress.issue.warnings);
}

async function keep({ connectForIssue, inputs, cluster, progress, clock, log, signal, runId }: ClusterModeContext) {
  if (connectForIssue === undefined) throw new Error('no issue is asked for');
  const github = await connectForIssue();
  const { namespace, failOn, labels, assignees } = inputs;
  const namespaceUid = (await cluster.find('namespaces', namespace))?.metadata?.uid;
  if (namespaceUid === undefined)
    throw new ClusterError(
      'namespace-gone',
      `Namespace ${namespace} no longer exists.`,
      'Find out who deleted it, then run the checks again.',
    );
  return await keepIssue(
    { github, clock, log, signal },
    {
      ...{ namespace, namespaceUid, failOn, labels, assignees },
      ...{ cluster: cluster.address, findings: progress.findings, runUrl: runId },
    },
  );
}

function failed({ log }: ClusterModeContext, error: unknown): KeptIssue {
  if (!isRunError(error) && error instanceof Error) log.info(error.stack ?? '');
  const remedy = isRunError(error)
    ? remedyText(error.remedy)
    : 'This is an error in the action. Report it with the log.';
  const warning = `The action could not update the issue about the prechecks: ${sentence(describe(error))} What to do: ${remedy}`;
  return { operation: 'failed', number: undefined, url: undefined, warnings: [warning] };
}
