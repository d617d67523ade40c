/** Whom a token speaks for, and what it may do. */
export interface Token {
  readonly login: string;
  readonly kind: 'actions' | 'app' | 'fine-grained' | 'classic';
  readonly contents: 'write' | 'read';
  readonly pullRequests: 'write' | 'read';
  /** What a job's permissions do not name is none. */
  readonly issues: 'write' | 'read' | 'none';
  readonly administrator: boolean;
  /** Of a classic token. */
  readonly scopes?: readonly string[];
}

/** What a job has with `permissions: { contents: write, pull-requests: write }`. */
export const jobToken: Token = {
  login: 'github-actions[bot]',
  kind: 'actions',
  contents: 'write',
  pullRequests: 'write',
  issues: 'none',
  administrator: false,
};

/** What a job has with `permissions: { issues: write }`. */
export const issuesToken: Token = { ...jobToken, contents: 'read', pullRequests: 'read', issues: 'write' };

export const appToken: Token = { ...jobToken, login: 'upgrader[bot]', kind: 'app' };

export const classicToken: Token = { ...jobToken, login: 'sam', kind: 'classic', scopes: ['repo', 'workflow'] };

/** What the repository answers as `permissions`: the role of a user, and never "push" for an app. */
export function roleOf(token: Token): Record<string, boolean> {
  const user = token.kind === 'classic' || token.kind === 'fine-grained';
  const push = user && token.contents === 'write';
  return { admin: token.administrator, maintain: false, push, triage: push, pull: true };
}
