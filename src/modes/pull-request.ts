import { publishPullRequest } from '../pull-request/publish.ts';
import type { UpgradeRecord } from '../pull-request/settings.ts';
import type { ModeContext } from './mode.ts';

/**
 * Brings values.yaml's pull request to what it is to be, where the inputs ask for one.
 * @param upgrade what this run did, if it upgraded; then a cancellation does not stop it: 14 serves, and Git has to say so
 * @throws ConfigurationError, GitHubError
 */
export async function publishValues(
  { pullRequest, clock, log, signal, timeline, progress }: ModeContext,
  upgrade?: UpgradeRecord,
): Promise<void> {
  if (pullRequest === undefined) return;
  const { github, settings } = pullRequest;
  const published = await log.group('Pull request for values.yaml', () =>
    timeline.phase('pull-request', 'Pull request for values.yaml', () =>
      publishPullRequest(
        { github, clock, log, signal: upgrade === undefined ? signal : undefined },
        { ...settings, upgrade },
      ),
    ),
  );
  progress.pullRequest = published;
  progress.results.warnings.push(...published.warnings);
}
