import { connectGitHub, type GitHubOptions } from '../../../src/adapters/github.ts';
import type { GitHub } from '../../../src/ports/github.ts';
import type { GitHubDouble } from '../../github/double.ts';

export const token = 'ghs_0123456789abcdef0123456789abcdef0123';

interface Options extends Omit<GitHubOptions, 'token' | 'environment' | 'mask'> {
  readonly token?: string;
  readonly apiUrl?: string | undefined;
}

/** The action's way to GitHub, as a runner would have it lead to the double. */
export function connectTo(double: GitHubDouble, { apiUrl, ...options }: Options): GitHub {
  const { owner, name } = double.state.repository;
  const variables: Readonly<Record<string, string>> = {
    GITHUB_REPOSITORY: `${owner}/${name}`,
    GITHUB_API_URL: apiUrl ?? double.apiUrl,
    GITHUB_SERVER_URL: double.serverUrl,
  };
  return connectGitHub({
    token,
    ...options,
    environment: (variable) => variables[variable] ?? '',
  });
}
