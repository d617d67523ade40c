import { publishPullRequest } from '../pull-request/publish.ts';
import type { UpgradeRecord } from '../pull-request/settings.ts';
import type { ModeContext } from './mode.ts';

/**
 * Creates or updates the pull request for values.yaml, if the inputs ask for one.
 * @param upgrade what this run did, if it upgraded; then a cancellation does not stop it: PostgreSQL 14 serves, and Git must say so
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
