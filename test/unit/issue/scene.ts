import { catalogue } from '../../../src/prechecks/catalogue.ts';
import { keepIssue, type KeptIssue } from '../../../src/issue/keep.ts';
import type { IssueSettings } from '../../../src/issue/settings.ts';
import type { Finding, Status } from '../../../src/findings/finding.ts';
import { BareRepository } from '../../github/bare-repository.ts';
import { GitHubDouble, type DoubleOptions } from '../../github/double.ts';
import { issuesToken } from '../../github/token.ts';
import { FakeClock } from '../fake-clock.ts';
import { FakeLog } from '../fake-runner.ts';
import { connectTo, token } from '../github/connect.ts';

const titleOf = (id: string) => catalogue.find((check) => check.id === id)?.title ?? id;

export function finding(check: string, status: Status = 'failed', more: Partial<Finding> = {}): Finding {
  return {
    ...{ check, title: titleOf(check), status, evidence: [`${check} was seen`], docs: `docs/checks.md#${check}` },
    ...(status === 'passed' ? {} : { remedy: { text: `See to ${check}.` } }),
    ...more,
  };
}

export function settings(findings: readonly Finding[], more: Partial<IssueSettings> = {}): IssueSettings {
  return {
    namespace: 'circleci-server',
    namespaceUid: '6b0e-uid',
    cluster: 'https://cluster.example:6443 (context production)',
    findings: [finding('discovery', 'passed'), ...findings],
    failOn: 'failed',
    labels: [],
    assignees: [],
    runUrl: 'https://github.com/octo-org/infrastructure/actions/runs/7/attempts/1',
    ...more,
  };
}

/** A repository's issues by GitHub's API, and the part of the action that keeps one. */
export class IssueScene {
  readonly clock = new FakeClock();
  readonly log = new FakeLog();
  private readonly git: BareRepository;
  readonly double: GitHubDouble;

  private constructor(git: BareRepository, double: GitHubDouble) {
    this.git = git;
    this.double = double;
    double.tokens.set(token, issuesToken);
  }

  static async open(options: DoubleOptions = {}): Promise<IssueScene> {
    const git = BareRepository.make({ 'README.md': '# Infrastructure\n' });
    return new IssueScene(git, await GitHubDouble.start(git, options));
  }

  /** One run of the prechecks with these findings, besides one that passed. */
  async run(findings: readonly Finding[], more: Partial<IssueSettings> = {}): Promise<KeptIssue> {
    const { clock, log } = this;
    return await keepIssue({ github: connectTo(this.double, { clock, log }), clock, log }, settings(findings, more));
  }

  /** What a run writes to GitHub: `POST …/issues`. */
  async writesOf(findings: readonly Finding[], more: Partial<IssueSettings> = {}): Promise<string[]> {
    const before = this.double.writes.length;
    await this.run(findings, more);
    return this.double.writes.slice(before).map((line) => line.replace('/repos/octo-org/infrastructure', '…'));
  }

  get issues() {
    return this.double.state.issues;
  }

  get issue() {
    const [first] = this.issues;
    if (first === undefined) throw new Error('there is no issue');
    return first;
  }

  get comments(): string[] {
    return this.double.state.comments.map(({ body }) => body);
  }

  /** Ends the server; a call or an answer that GitHub's description does not have fails the test. */
  async close(): Promise<void> {
    await this.double.stop();
    this.git.remove();
    if (this.double.violations.length > 0) throw new Error(this.double.violations.join('\n'));
  }
}
