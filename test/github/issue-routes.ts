import { invalid, mayNot, notFound, refuse, type Answer, type Handler, type Routes, type State } from './answer.ts';
import type { IssueState } from './objects.ts';

const longestBody = 65_536;
const disabled = refuse(410, 'Issues has been disabled in this repository.');

export const issueRoutes: Routes = {
  'GET /repos/{owner}/{repo}/issues': (state, { query, token }) => {
    if (token.issues === 'none') return mayNot(token);
    const { objects } = state;
    const [wanted, creator] = [query.get('state') ?? 'open', query.get('creator')];
    const found = [...state.issues, ...state.pullRequests].filter(
      (one) => (wanted === 'all' || one.state === wanted) && (creator === null || one.author === creator),
    );
    const ordered = found.sort((a, b) =>
      query.get('direction') === 'asc' ? a.number - b.number : b.number - a.number,
    );
    return { status: 200, body: page(ordered, query).map((one) => objects.issue(one)) };
  },

  'POST /repos/{owner}/{repo}/issues': (state, { body, token }) => {
    if (token.issues !== 'write') return mayNot(token);
    if (!state.repository.issues) return disabled;
    const assignees = (body['assignees'] ?? []) as string[];
    if (body['title'] === '') return invalid("title can't be blank", 'Issue', 'title');
    if (isTooLong(body['body'])) return tooLong('Issue');
    if (assignees.some((login) => !state.people.has(login))) return invalid('is invalid', 'Issue', 'assignees');
    const made: IssueState = {
      number: state.pullRequests.length + state.issues.length + 1,
      author: token.login,
      title: String(body['title']),
      body: (body['body'] ?? null) as string | null,
      state: 'open',
      stateReason: null,
      labels: (body['labels'] ?? []) as string[],
      assignees,
    };
    state.issues.push(made);
    return { status: 201, body: state.objects.issue(made) };
  },

  'PATCH /repos/{owner}/{repo}/issues/{issue_number}': (state, request) =>
    on(state, request, (issue) => {
      const { body, token } = request;
      if (token.issues !== 'write') return mayNot(token);
      if (isTooLong(body['body'])) return tooLong('Issue');
      if (typeof body['title'] === 'string') issue.title = body['title'];
      if (typeof body['body'] === 'string') issue.body = body['body'];
      if (body['state'] === 'open' || body['state'] === 'closed') {
        const reason = body['state_reason'] as IssueState['stateReason'] | undefined;
        if (reason !== undefined || body['state'] !== issue.state)
          issue.stateReason = reason ?? (body['state'] === 'closed' ? 'completed' : 'reopened');
        issue.state = body['state'];
      }
      return { status: 200, body: state.objects.issue(issue) };
    }),

  'GET /repos/{owner}/{repo}/issues/{issue_number}/comments': (state, request) =>
    on(state, request, ({ number }) => {
      if (request.token.issues === 'none') return mayNot(request.token);
      const found = state.comments.filter((comment) => comment.issue === number);
      return { status: 200, body: page(found, request.query).map((comment) => state.objects.comment(comment)) };
    }),

  'POST /repos/{owner}/{repo}/issues/{issue_number}/comments': (state, request) =>
    on(state, request, ({ number }) => {
      const { body, token } = request;
      if (token.issues !== 'write') return mayNot(token);
      if (isTooLong(body['body'])) return tooLong('IssueComment');
      const id = (state.comments.at(-1)?.id ?? 1000) + 1;
      const made = { id, issue: number, author: token.login, body: String(body['body']) };
      state.comments.push(made);
      return { status: 201, body: state.objects.comment(made) };
    }),

  'DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}': (state, { parameters, token }) => {
    if (token.issues !== 'write') return mayNot(token);
    const at = state.comments.findIndex((comment) => String(comment.id) === parameters['comment_id']);
    if (at < 0) return notFound;
    state.comments.splice(at, 1);
    return { status: 204, body: undefined };
  },
};

/** Runs the rest of a handler on the issue that the path names. */
function on(state: State, { parameters }: Parameters<Handler>[1], rest: (issue: IssueState) => Answer): Answer {
  const found = state.issues.find((issue) => String(issue.number) === parameters['issue_number']);
  return found === undefined ? notFound : rest(found);
}

function page<T>(all: readonly T[], query: URLSearchParams): T[] {
  const [size, number] = [Number(query.get('per_page') ?? 30), Number(query.get('page') ?? 1)];
  return all.slice((number - 1) * size, number * size);
}

function isTooLong(body: unknown): boolean {
  return typeof body === 'string' && body.length > longestBody;
}

function tooLong(resource: string): Answer {
  return invalid(`body is too long (maximum is ${String(longestBody)} characters)`, resource, 'body');
}
