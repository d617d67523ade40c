import { ConfigurationError } from '../common/errors.ts';
import type { GitHub } from '../ports/github.ts';
import { accessTo } from './github-access.ts';
import { gitData } from './github-git.ts';
import { issues } from './github-issues.ts';
import { pullRequests } from './github-pulls.ts';
import { GitHubRequests, type Connection } from './github-request.ts';
import { expectSafeApi } from './wire.ts';

export interface GitHubOptions extends Omit<Connection, 'apiUrl'> {
  /** GITHUB_REPOSITORY, GITHUB_API_URL and GITHUB_SERVER_URL of the runner. */
  readonly environment: (name: string) => string;
}

/**
 * Connects to the workflow's own repository; nothing is called yet.
 * @throws ConfigurationError without a token or outside of a workflow
 */
export function connectGitHub(options: GitHubOptions): GitHub {
  const { environment, ...connection } = options;
  if (connection.token === '') {
    throw new ConfigurationError(
      'github-token-missing',
      'The run is to write to GitHub, but has no token. Nothing was written.',
      'Set "github-token" to a token with the permissions for it, such as ${{ github.token }}. Or leave "values-file" and "issue" out.',
    );
  }
  const repository = environment('GITHUB_REPOSITORY');
  if (!/^[^/\s]+\/[^/\s]+$/.test(repository)) {
    throw new ConfigurationError(
      'github-repository-missing',
      `GITHUB_REPOSITORY is ${JSON.stringify(repository)}, which is not "owner/name".`,
      'Run in a GitHub workflow, or leave "values-file" and "issue" out.',
    );
  }
  const serverUrl = (environment('GITHUB_SERVER_URL') || 'https://github.com').replace(/\/+$/, '');
  const apiUrl = environment('GITHUB_API_URL') || 'https://api.github.com';
  expectSafeApi(apiUrl);
  const [owner = '', repo = ''] = repository.split('/');
  const place = { owner, repo };
  const requests = new GitHubRequests({ ...connection, apiUrl });
  return {
    repository,
    serverUrl,
    ...accessTo(requests, place),
    ...gitData(requests, place),
    ...pullRequests(requests, place),
    ...issues(requests, place),
  };
}
