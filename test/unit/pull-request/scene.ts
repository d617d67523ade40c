import { publishPullRequest, type Published } from '../../../src/pull-request/publish.ts';
import { probePullRequest } from '../../../src/pull-request/probe.ts';
import type { ProbeFact } from '../../../src/facts/probe-fact.ts';
import type { Edit, PullRequestSettings } from '../../../src/pull-request/settings.ts';
import { ConfigurationError } from '../../../src/common/errors.ts';
import type { GitHub } from '../../../src/ports/github.ts';
import { BareRepository } from '../../github/bare-repository.ts';
import { GitHubDouble, type DoubleOptions } from '../../github/double.ts';
import { mergePullRequest } from '../../github/merge.ts';
import { connectTo } from '../github/connect.ts';
import { FakeClock } from '../fake-clock.ts';
import { FakeLog } from '../fake-runner.ts';

export const path = 'environments/production/values.yaml';
export const branch = 'circleci-server-postgresql-14-circleci-server-environments-production-values-yaml';

export function values(tag: string, more = ''): string {
  return `# CircleCI Server\npostgresql:\n  image:\n    registry: cciserver.azurecr.io\n    repository: server-postgres\n    tag: ${tag} # by hand\n${more}`;
}

/** Sets the tag's line, and nothing else: as much of an edit as is needed here. */
export function edit(to: string): Edit {
  return (source) => {
    const lines = source.split('\n');
    const index = lines.findIndex((line) => line.startsWith('    tag: '));
    if (index < 0) throw new ConfigurationError('values-no-item', 'No postgresql.image.', 'Set "values-path".');
    const before = lines[index] ?? '';
    const after = before.replace(/tag: \S+/, `tag: ${to}`);
    if (before === after) return { operation: 'none', text: source, changes: [], warnings: [] };
    lines[index] = after;
    const change = { path: 'postgresql.image.tag', line: index + 1, before: /tag: (\S+)/.exec(before)?.[1], after: to };
    return { operation: 'edited', text: lines.join('\n'), changes: [change], warnings: [] };
  };
}

export const record = {
  before: '12.16',
  after: '14.20',
  phases: [{ id: 'job', title: 'Upgrade the data', seconds: 12.3, outcome: 'done' as const }],
  downtimeSeconds: 41.5,
  backup: 'VolumeSnapshot data-postgresql-0-before-14',
};

/** A repository, GitHub's API over it, and the part of the action that writes pull requests. */
export class Scene {
  readonly clock = new FakeClock();
  readonly log = new FakeLog();
  readonly github: GitHub;
  readonly git: BareRepository;
  readonly double: GitHubDouble;
  private readonly cancelled = new AbortController();

  private constructor(git: BareRepository, double: GitHubDouble, answerLimit: number | undefined) {
    this.git = git;
    this.double = double;
    this.github = this.connect({ answerLimit });
  }

  static async open(options: DoubleOptions & { answerLimit?: number; text?: string } = {}): Promise<Scene> {
    const git = BareRepository.make({
      'README.md': '# Infrastructure\n',
      [path]: options.text ?? values('12.16'),
      'environments/staging/values.yaml': values('12.16'),
    });
    return new Scene(git, await GitHubDouble.start(git, options), options.answerLimit);
  }

  connect({ answerLimit, apiUrl }: { answerLimit?: number | undefined; apiUrl?: string } = {}): GitHub {
    const { clock, log } = this;
    const { signal } = this.cancelled;
    return connectTo(this.double, {
      clock,
      log,
      signal,
      apiUrl,
      ...(answerLimit === undefined ? {} : { answerLimit }),
    });
  }

  cancel(): void {
    this.cancelled.abort();
  }

  settings(more: Partial<PullRequestSettings> = {}): PullRequestSettings {
    return {
      path,
      edit: edit(more.tag ?? '14.20'),
      image: `cciserver.azurecr.io/server-postgres:${more.tag ?? '14.20'}`,
      tag: '14.20',
      namespace: 'circleci-server',
      base: '',
      branch: '',
      labels: [],
      assignees: [],
      reviewers: [],
      teamReviewers: [],
      draft: false,
      runUrl: 'https://github.com/octo-org/infrastructure/actions/runs/7/attempts/1',
      ...more,
    };
  }

  async publish(more: Partial<PullRequestSettings> = {}): Promise<Published> {
    const { github, clock, log } = this;
    return await publishPullRequest({ github, clock, log, signal: this.cancelled.signal }, this.settings(more));
  }

  async probe(more: Partial<PullRequestSettings> = {}): Promise<ProbeFact[]> {
    return await probePullRequest(this.github, this.settings(more));
  }

  /** Only what was sent from here on counts. */
  forget(): void {
    this.double.requests.length = 0;
  }

  get pull() {
    const [first] = this.double.state.pullRequests;
    if (first === undefined) throw new Error('there is no pull request');
    return first;
  }

  /** The lines that the pull request changes, as its page shows them: from the merge base. */
  get diff(): string[] {
    return this.git
      .git(['diff', '--unified=0', `main...${branch}`])
      .split('\n')
      .filter((line) => /^[-+](?![-+])/.test(line));
  }

  /** The file as it is once the pull request is merged; undefined when it conflicts. */
  get merged(): string | undefined {
    const tree = this.git.ask(['merge-tree', '--write-tree', 'main', branch]);
    return tree === undefined ? undefined : this.git.file(tree, path);
  }

  merge(how: 'merge' | 'squash' = 'merge'): void {
    mergePullRequest(this.double, how);
  }

  /** "Update branch" on the pull request's page. */
  updateBranch(): void {
    const { git } = this;
    const head = git.head(branch) ?? '';
    const tree = git.git(['merge-tree', '--write-tree', branch, 'main']);
    const person = { name: 'ada', email: 'ada@example.com' };
    git.setReference(
      `refs/heads/${branch}`,
      git.writeCommit("Merge branch 'main'", tree, [head, git.head('main') ?? ''], person),
      head,
    );
  }

  /** Ends the server; a call or an answer that GitHub's description does not have fails the test. */
  async close(): Promise<void> {
    await this.double.stop();
    this.git.remove();
    if (this.double.violations.length > 0) throw new Error(this.double.violations.join('\n'));
  }
}
