import type { Database } from '../../database/database.ts';
import type { Inputs } from '../../inputs/inputs.ts';
import type { Scripts } from '../../ports/scripts.ts';
import type { UnmaskedSecret } from '../../ports/runner.ts';
import type { UnleasedCluster } from '../../ports/cluster.ts';
import type { Deps } from '../../ports/context.ts';
import type { ProbeFact } from '../../facts/probe-fact.ts';
import type { Target } from '../../target/target.ts';
import type { JournalSeal } from '../../journal/seal.ts';

/** What reading the facts needs. */
export interface FactReaderDeps extends Deps<UnleasedCluster> {
  readonly inputs: Inputs;
  readonly target: Target;
  readonly database: Database;
  /** Of the server's journals. */
  readonly seal: JournalSeal;
  /** Secrets of the run that its texts can't mask. */
  readonly unmaskedSecrets: readonly UnmaskedSecret[];
  readonly scripts: Scripts;
  /** Asks GitHub whether the pull request for the values file can be made; undefined when there will be none. */
  readonly probePullRequest: (() => Promise<readonly ProbeFact[]>) | undefined;
}
