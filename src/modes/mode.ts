import type { Inputs } from '../inputs/inputs.ts';
import type { Scripts } from '../ports/scripts.ts';
import type { Cluster, ClusterReader, UnleasedCluster } from '../ports/cluster.ts';
import type { RunCommands } from '../ports/commands.ts';
import type { Crypto } from '../ports/crypto.ts';
import type { Deps } from '../ports/context.ts';
import type { GitHub } from '../ports/github.ts';
import type { Runner } from '../ports/runner.ts';
import type { Facts } from '../facts/facts.ts';
import type { Finding } from '../findings/finding.ts';
import type { KeptIssue } from '../issue/keep.ts';
import type { Published } from '../pull-request/publish.ts';
import type { PullRequestSettings } from '../pull-request/settings.ts';
import type { PlanReport } from '../report/plan-shape.ts';
import type { CleanupReport, Verdict } from '../report/report-shape.ts';
import type { Timeline } from '../report/timeline.ts';
import type { Image } from '../common/image.ts';
import type { RehearsalFinding } from '../rehearsal/rehearse.ts';
import type { Status } from '../upgrade/status.ts';
import type { Target } from '../target/target.ts';
import type { Results } from '../upgrade/contract/step.ts';

/** What a run has found out when it ends, however it ends: the report is made from it. */
export interface Progress {
  inputs?: Inputs;
  cluster?: ClusterReader;
  target?: Target;
  facts?: Facts;
  findings: Finding[];
  checkSeconds?: Readonly<Record<string, number>>;
  verdict: Verdict;
  plan?: PlanReport;
  pullRequest?: Published;
  issue?: KeptIssue;
  status?: Status;
  cleanup?: CleanupReport;
  /** What a rehearsal has found. */
  rehearsal?: readonly RehearsalFinding[];
  /** The image that PostgreSQL runs in the end, if it is not that of PostgreSQL 14. */
  image?: Image;
  readonly results: Results;
}

/** The pull request that the run is to end with, and where. */
interface PullRequestPlan {
  readonly github: GitHub;
  readonly settings: PullRequestSettings;
}

/** What every mode works with. */
export interface ModeContext extends Omit<Deps, 'cluster'> {
  /** Of the action. */
  readonly version: string;
  readonly inputs: Inputs;
  readonly runner: Runner;
  readonly timeline: Timeline;
  readonly progress: Progress;
  /** The run's address. */
  readonly runId: string;
  /** Undefined when the inputs ask for none. */
  readonly pullRequest: PullRequestPlan | undefined;
  /** Way to GitHub for the issue about the prechecks; undefined when the inputs ask for none. */
  readonly connectForIssue: (() => Promise<GitHub>) | undefined;
}

/** What the modes that look at the cluster have besides. */
export interface ClusterModeContext extends ModeContext {
  readonly cluster: UnleasedCluster;
  /** For src/lock, which makes of it the cluster of the run that holds the Lease. */
  readonly connection: Cluster;
  readonly crypto: Crypto;
  readonly scripts: Scripts;
  readonly runCommands: RunCommands;
}
