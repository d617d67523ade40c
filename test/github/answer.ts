import type { BareRepository } from './bare-repository.ts';
import type { CommentState, IssueState, Objects, PullRequestState } from './objects.ts';
import type { Token } from './token.ts';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** What the double knows besides git. */
export interface State {
  readonly git: BareRepository;
  readonly objects: Objects;
  readonly pullRequests: PullRequestState[];
  readonly issues: IssueState[];
  readonly comments: CommentState[];
  /** Who can be assigned or asked for a review. */
  readonly people: Set<string>;
  readonly teams: Set<string>;
  readonly repository: {
    owner: string;
    name: string;
    private: boolean;
    archived: boolean;
    /** "Allow GitHub Actions to create and approve pull requests" */
    actionsMayOpenPullRequests: boolean;
    drafts: boolean;
    /** Whether the repository has issues at all. */
    issues: boolean;
    rules: { type: string; branch: RegExp }[];
  };
}

export interface Request {
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
  readonly token: Token;
}

export type Handler = (state: State, request: Request) => Answer;
export type Routes = Readonly<Record<string, Handler>>;

const documentation_url = 'https://docs.github.com/rest';

export function refuse(status: number, message: string): Answer {
  return { status, body: { message, documentation_url, status: String(status) } };
}

export function invalid(message: string, resource: string, field = 'base'): Answer {
  const errors = [{ resource, field, code: 'custom', message }];
  return { status: 422, body: { message: 'Validation Failed', errors, documentation_url } };
}

/** A refusal without single faults, as git data gives it. */
export function unprocessable(message: string): Answer {
  return { status: 422, body: { message, documentation_url } };
}

export const notFound = refuse(404, 'Not Found');

/** GitHub's refusal of a write: apps are told why, classic tokens are not. */
export function mayNot(token: Token): Answer {
  if (token.kind === 'classic') return notFound;
  return refuse(
    403,
    `Resource not accessible by ${token.kind === 'fine-grained' ? 'personal access token' : 'integration'}`,
  );
}
