import type { V1Job } from '@kubernetes/client-node';
import type { BackgroundWorker } from '../../database/clients.ts';
import type { Database } from '../../database/database.ts';
import type { Fingerprint } from '../../database/fingerprint.ts';
import type { Rows } from '../../database/script.ts';
import type { RehearsalProof } from '../../facts/facts.ts';
import type { Inputs } from '../../inputs/inputs.ts';
import type { JobResult } from '../../job/result.ts';
import type { JobSettings } from '../../objects/upgrade-job.ts';
import type { LeasedCluster } from '../../ports/cluster.ts';
import type { Deps } from '../../ports/context.ts';
import type { RunCommands } from '../../ports/commands.ts';
import type { Timeline } from '../../report/timeline.ts';
import type { UpgradeError } from '../../common/errors.ts';
import type { Image } from '../../common/image.ts';
import type { Target } from '../../target/target.ts';
import type { Backup, KeptData } from '../../objects/backup.ts';
import type { Journal } from '../../journal/journal.ts';
import type { StepId } from '../../journal/notes.ts';
import type { Expectation, Move, Predicted } from '../../report/planned-step.ts';
import type { Report } from '../../report/report-shape.ts';

/** What the steps work with. */
export interface Context extends Deps<LeasedCluster> {
  readonly inputs: Inputs;
  readonly target: Target;
  readonly database: Database<LeasedCluster>;
  readonly serving: Image;
  /** VolumeSnapshotClass; '' where the backup is no snapshot. */
  readonly snapshotClass: string;
  readonly settings: JobSettings;
  /** The Job's scripts, by file name. */
  readonly scripts: Readonly<Record<string, string>>;
  readonly journal: Journal<LeasedCluster>;
  /** Another run began this upgrade: the cluster shows what it did, `results` do not. */
  readonly isResumed?: boolean;
  readonly timeline: Timeline;
  /** The steps of the downtime, of which the timeline knows what they are expected to take, and how sure that is; undefined where another run predicted that. */
  readonly downtime?: readonly (Pick<Step, 'id' | 'title'> & Pick<Expectation, 'spread'>)[];
  readonly runCommands: RunCommands;
  /** Asks for the removal of what a rehearsal has made in spite of this upgrade. It waits for nothing, and never throws. Undefined where this run begins no downtime. */
  readonly sweepRehearsals?: () => Promise<void>;
  /** Which rehearsal proves the backup; undefined where none does, and where another run began this upgrade: the journal has it then. */
  readonly rehearsal?: RehearsalProof | undefined;
  /** What later steps and the report need of earlier ones. */
  readonly results: Results;
}

/** Decision: docs/decisions/0029-anchor.md */
export interface Anchor {
  /** Its name. */
  readonly pod: string;
  readonly uid: string;
  readonly node: string;
}

export interface Results {
  /** The databases that accept connections, as they were just before the downtime. */
  databases?: readonly string[];
  before?: Fingerprint;
  /** What wrote without a client when that was measured, or may have. */
  workers?: readonly BackgroundWorker[];
  /** The backup of the volume as it was before the upgrade. */
  backup?: Backup;
  /** When its snapshot was cut by the storage's clock, and seen to be ready by the API server's. */
  backupTimes?: { readonly cutAt: string | undefined; readonly readyAt: string | undefined };
  /** What showed before the downtime that such a backup can be restored; undefined where nothing did. */
  backupProof?: Report['backupProof'];
  /** What holds the data of PostgreSQL 14, where PostgreSQL 12 was restored after PostgreSQL 14 had served. */
  served?: KeptData;
  /** The pod that keeps the volume attached, while it does. */
  anchor?: Anchor;
  /** The server was seen to end cleanly, and nobody waited for its volume to be detached. */
  isStillAttached?: true;
  /** The PersistentVolume that the server's claim has got by a restore. */
  restored?: string;
  job?: JobResult;
  /** The upgrade Job as it was created, and how far its pod has been seen to come; `asked` where it is not known whether it was created. */
  jobRun?: { readonly object: V1Job; readonly phase: 'asked' | 'created' | 'started' | 'ended' };
  /** PostgreSQL 14 has been started and answers. */
  serving?: boolean;
  /** What was compared, and by what, where all of it was as before the upgrade; as sentences. */
  comparison?: string;
  /** By database, the extensions that PostgreSQL 14 ships in another version, as the comparison's sessions were told; undefined where they were not. */
  outdated?: Rows | undefined;
  /** Its data is what PostgreSQL 12 had: from now on nothing reverts by itself. */
  validated?: boolean;
  /** What was predicted of the downtime right before it; undefined where a step of it could not be. */
  predicted?: Predicted | undefined;
  /** The upgrade is done, and the commands that were to show that all is well did not. */
  unwell?: UpgradeError;
  /** What did not stop the upgrade, but must be reported. */
  readonly warnings: string[];
}

/** What the moves of an upgrade are computed from. */
export type PlanContext = Pick<
  Context,
  'inputs' | 'target' | 'serving' | 'snapshotClass' | 'settings' | 'scripts' | 'rehearsal'
> & {
  readonly record: Context['journal']['record'];
};

/** One move of the upgrade. Decision: docs/decisions/0019-plans.md */
export interface Step {
  readonly id: StepId;
  readonly title: string;
  /** What `undo` does, for people: after a failure they have to see at once what runs. */
  readonly undoTitle?: string;
  /** All that `run` will do in the cluster and in the server, where nothing has been done yet and nothing fails. */
  plan(draft: PlanContext): readonly Move[];
  /** A cancellation does not interrupt it: to complete it is quicker than to undo it. */
  readonly isUninterruptible?: boolean;
  /** PostgreSQL 14 may serve clients before the step fails. */
  readonly serves?: true;
  /** Called when the step was cancelled. @throws UpgradeError when something is at work that must come to its end: the run then leaves everything as it is */
  expectNothingAtWork?(context: Context): Promise<void>;
  run(context: Context): Promise<void>;
  /**
   * Undoes what `run` did or began to do, by what the cluster shows; also
   * when `run` was interrupted anywhere.
   */
  undo?(context: Context): Promise<void>;
}
