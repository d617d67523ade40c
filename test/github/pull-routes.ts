import { invalid, mayNot, notFound, refuse, unprocessable, type Handler, type Routes, type State } from './answer.ts';
import type { PullRequestState } from './objects.ts';

export const pullRoutes: Routes = {
  'GET /repos/{owner}/{repo}/pulls': (state, { query }) => {
    const { pullRequests, objects, repository } = state;
    const [wanted, head, base] = [query.get('state') ?? 'open', query.get('head'), query.get('base')];
    const found = pullRequests.filter(
      (p) =>
        (wanted === 'all' || p.state === wanted) &&
        // By the owner alone: a fork may have the same one.
        (head === null || head === `${(p.fork ?? `${repository.owner}/`).split('/', 1).join()}:${p.head}`) &&
        (base === null || base === p.base),
    );
    const ordered = query.get('direction') === 'asc' ? found : found.toReversed();
    const [size, page] = [Number(query.get('per_page') ?? 30), Number(query.get('page') ?? 1)];
    const shown = ordered.slice((page - 1) * size, page * size);
    return { status: 200, body: shown.map((p) => objects.pullRequest(follow(state, p), false)) };
  },

  'POST /repos/{owner}/{repo}/pulls': (state, { body, token }) => {
    const { git, objects, pullRequests, repository } = state;
    if (token.pullRequests !== 'write') return mayNot(token);
    const [head, base] = [String(body['head']).replace(`${repository.owner}:`, ''), String(body['base'])];
    const text = body['body'] as string | undefined;
    if (token.kind === 'actions' && !repository.actionsMayOpenPullRequests) {
      return refuse(403, 'GitHub Actions is not permitted to create or approve pull requests.');
    }
    const [from, to] = [git.head(head), git.head(base)];
    if (from === undefined) return invalid('head is invalid', 'PullRequest', 'head');
    if (to === undefined) return invalid('base is invalid', 'PullRequest', 'base');
    if (body['title'] === undefined || body['title'] === '')
      return invalid("title can't be blank", 'PullRequest', 'title');
    if ((text ?? '').length > 65_536)
      return invalid('body is too long (maximum is 65536 characters)', 'PullRequest', 'body');
    if (git.isAncestor(from, to)) return invalid(`No commits between ${base} and ${head}`, 'PullRequest');
    if (pullRequests.some((p) => p.state === 'open' && p.fork === undefined && p.head === head && p.base === base)) {
      return invalid(`A pull request already exists for ${repository.owner}:${head}.`, 'PullRequest');
    }
    if (body['draft'] === true && !repository.drafts) {
      return invalid('Draft pull requests are not supported in this repository.', 'PullRequest');
    }
    const made: PullRequestState = {
      number: pullRequests.length + state.issues.length + 1,
      author: token.login,
      head,
      base,
      title: body['title'] as string,
      body: text ?? null,
      draft: body['draft'] === true,
      state: 'open',
      mergedAt: null,
      headSha: from,
      baseSha: to,
      labels: [],
      assignees: [],
      reviewers: [],
      teamReviewers: [],
      reviews: [],
    };
    pullRequests.push(made);
    return { status: 201, body: objects.pullRequest(made, true) };
  },

  'GET /repos/{owner}/{repo}/pulls/{pull_number}': (state, request) =>
    on(state, request, 'pull_number', (p) => ({
      status: 200,
      body: state.objects.pullRequest(follow(state, p), true),
    })),

  'PATCH /repos/{owner}/{repo}/pulls/{pull_number}': (state, request) =>
    on(state, request, 'pull_number', (p) => {
      const { body, token } = request;
      if (token.pullRequests !== 'write') return mayNot(token);
      if (((body['body'] ?? '') as string).length > 65_536) return invalid('body is too long', 'PullRequest', 'body');
      if (typeof body['title'] === 'string') p.title = body['title'];
      if (typeof body['body'] === 'string') p.body = body['body'];
      if (body['state'] === 'open' || body['state'] === 'closed') p.state = body['state'];
      if (typeof body['base'] === 'string') p.base = body['base'];
      return { status: 200, body: state.objects.pullRequest(follow(state, p), true) };
    }),

  'GET /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers': (state, request) =>
    on(state, request, 'pull_number', (p) => ({
      status: 200,
      body: {
        users: p.reviewers.map((login) => state.objects.user(login)),
        teams: p.teamReviewers.map((slug) => state.objects.team(slug)),
      },
    })),

  'POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers': (state, request) =>
    on(state, request, 'pull_number', (p) => {
      const { body, token } = request;
      if (token.pullRequests !== 'write') return mayNot(token);
      const [people, teams] = [body['reviewers'] ?? [], body['team_reviewers'] ?? []] as [string[], string[]];
      if (people.includes(p.author)) return unprocessable('Review cannot be requested from pull request author.');
      if (people.some((login) => !state.people.has(login)) || teams.some((slug) => !state.teams.has(slug))) {
        return unprocessable(
          'Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the repository.',
        );
      }
      p.reviewers = [...new Set([...p.reviewers, ...people])];
      p.teamReviewers = [...new Set([...p.teamReviewers, ...teams])];
      // The answer is a pull request without the counts of a whole one.
      return { status: 201, body: state.objects.pullRequest(follow(state, p), false) };
    }),

  'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews': (state, request) =>
    on(state, request, 'pull_number', (p) => ({
      status: 200,
      body: p.reviews.map((login) => state.objects.review(login, p.headSha)),
    })),

  'GET /repos/{owner}/{repo}/issues/{issue_number}': (state, request) =>
    on(state, request, 'issue_number', (p) => ({ status: 200, body: state.objects.issue(p) })),

  'GET /repos/{owner}/{repo}/issues/{issue_number}/labels': (state, request) =>
    on(state, request, 'issue_number', (p) => ({
      status: 200,
      body: p.labels.map((name) => state.objects.label(name)),
    })),

  'POST /repos/{owner}/{repo}/issues/{issue_number}/labels': (state, request) =>
    on(state, request, 'issue_number', (p) => {
      if (request.token.pullRequests !== 'write') return mayNot(request.token);
      p.labels = [...new Set([...p.labels, ...(request.body['labels'] as string[])])];
      return { status: 200, body: p.labels.map((name) => state.objects.label(name)) };
    }),

  'POST /repos/{owner}/{repo}/issues/{issue_number}/assignees': (state, request) =>
    on(state, request, 'issue_number', (p) => {
      if (request.token.pullRequests !== 'write') return mayNot(request.token);
      const able = (request.body['assignees'] as string[]).filter((login) => state.people.has(login));
      p.assignees = [...new Set([...p.assignees, ...able])];
      return { status: 201, body: state.objects.issue(p) };
    }),
};

/** Runs the rest of a handler on the pull request that the path names. */
function on(
  state: State,
  request: Parameters<Handler>[1],
  parameter: string,
  rest: (p: PullRequestState) => ReturnType<Handler>,
): ReturnType<Handler> {
  const found = state.pullRequests.find((p) => String(p.number) === request.parameters[parameter]);
  return found === undefined ? notFound : rest(found);
}

/** An open pull request follows its branch; a closed one stays where it was. */
function follow({ git }: State, p: PullRequestState): PullRequestState {
  if (p.state === 'open' && p.fork === undefined) p.headSha = git.head(p.head) ?? p.headSha;
  return p;
}
