import { ConfigurationError } from '../common/errors.ts';
import type { Published } from '../pull-request/publish.ts';
import type { Verdict } from '../report/report-shape.ts';
import type { ModeContext } from './mode.ts';
import { publishValues } from './pull-request.ts';

/**
 * The pull request alone, for those who upgraded by other means. Does not access the cluster.
 * @throws ConfigurationError, GitHubError
 */
export async function proposeValues(context: ModeContext): Promise<void> {
  const { pullRequest, progress, inputs, log } = context;
  if (pullRequest === undefined) {
    throw new ConfigurationError(
      'values-file-missing',
      '"mode: values" needs "values-file".',
      'Set "values-file" to the path of values.yaml from the root of the repository.',
    );
  }
  await publishValues(context);
  if (progress.pullRequest === undefined) return;
  progress.verdict = verdictOf(progress.pullRequest);
  const { url } = progress.pullRequest;
  log.annotate(
    'notice',
    progress.verdict,
    progress.verdict === 'up-to-date'
      ? `${inputs.valuesFile} already names ${pullRequest.settings.image}.`
      : `Pull request for ${inputs.valuesFile}: ${url ?? ''}`,
  );
}

function verdictOf({ operation, changes }: Published): Verdict {
  if (operation === 'closed') return 'declined';
  return changes.length === 0 ? 'up-to-date' : 'proposed';
}
