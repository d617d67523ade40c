import type { Access, GitHub, Tried } from '../ports/github.ts';
import { failed, passed, unknown, warning, type Answer } from '../findings/finding.ts';

const grant =
  'Give the job "permissions: { contents: write, pull-requests: write }", or set "github-token" to a token that has these two permissions.';

/**
 * A classic token tells its scopes, and the repository its user's role. All
 * others (GITHUB_TOKEN, apps, fine-grained tokens) tell neither: an app's role
 * reads as "may not push" whatever it may. Those are asked by a request which
 * GitHub can only refuse.
 */
export async function probePushRight(github: GitHub, access: Access, branch: string): Promise<Answer> {
  if (access.frozen) {
    return failed('Unarchive the repository, or set "values-file" to "".', 'the repository is archived or disabled');
  }
  if (access.scopes === undefined) return judge(await github.tryPush(branch), 'push');
  if (access.mayPush === false) return failed(grant, "the token's user may not write to the repository");
  return scoped(access.scopes, access.private);
}

export async function probePullRequestRight(github: GitHub, access: Access, base: string): Promise<Answer> {
  if (access.scopes !== undefined) return scoped(access.scopes, access.private);
  const answer = judge(await github.tryPullRequest(base), 'open pull requests');
  if (answer.status !== 'passed') return answer;
  const allowed = await github.actionsMayOpenPullRequests();
  const setting = '"Allow GitHub Actions to create and approve pull requests" (Settings, Actions, General)';
  if (allowed === true) return passed(...answer.evidence, `${setting} is on`);
  if (allowed === false) {
    return warning(
      `Turn ${setting} on, in the organization first, or use a token of a GitHub App. GITHUB_TOKEN can push the branch, but not open the pull request.`,
      ...answer.evidence,
      'the setting is off: it applies to GITHUB_TOKEN, not to other tokens',
    );
  }
  return passed(...answer.evidence, `unknown: whether ${setting} is on; GITHUB_TOKEN needs it, but may not read it`);
}

function scoped(scopes: readonly string[], isPrivate: boolean): Answer {
  const shown = `scopes of the token: ${scopes.join(', ') || 'none'}`;
  const enough = scopes.includes('repo') || (!isPrivate && scopes.includes('public_repo'));
  return enough ? passed(shown) : failed('Give the token the scope "repo".', shown);
}

function judge(tried: Tried, to: string): Answer {
  if (tried === 'allowed')
    return passed(`the token may ${to}: GitHub refused an impossible request as invalid, not as forbidden`);
  if (tried === 'refused') return failed(grant, `the token may not ${to}`);
  return unknown(grant, `unknown: whether the token may ${to}`);
}
