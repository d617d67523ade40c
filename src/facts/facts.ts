import type { V1Node, V1PodDisruptionBudget, V1StorageClass } from '@kubernetes/client-node';
import type { Client } from '../database/clients.ts';
import type { Libraries } from '../database/libraries.ts';
import type { Obstacle } from '../database/obstacles.ts';
import type { DatabaseFacts, ExtensionFacts, ServerFacts } from '../database/server.ts';
import type { SortOrders } from '../database/sort-order.ts';
import type { ImageFacts } from '../probes/probe.ts';
import type { Trial } from '../probes/run-trial.ts';
import type { RestoreTestFacts } from '../probes/restore-test.ts';
import type { NetworkPolicy, VolumeSnapshotClass } from '../ports/cluster.ts';
import type { UnmaskedSecret } from '../ports/runner.ts';
import type { Inputs } from '../inputs/inputs.ts';
import type { EarlierData } from '../objects/backup.ts';
import type { ProbeFact } from './probe-fact.ts';
import type { HelmRevision } from '../target/helm-releases.ts';
import type { Neighbour } from '../target/neighbours.ts';
import type { MissingPermission } from '../permissions/permissions.ts';
import type { Reconciler } from '../target/reconcilers.ts';
import type { Target } from '../target/target.ts';
import type { Image } from '../common/image.ts';
import type { VolumeFiles } from '../database/volume-files.ts';
import type { VolumeTrial } from '../database/volume-trial.ts';
import type { HazardFacts } from '../hazards/hazard.ts';
import type { Known } from '../common/known.ts';

/** All that the checks judge, gathered once. */
export interface Facts {
  readonly inputs: Inputs;
  readonly target: Target;
  readonly serving: Image;
  readonly upgradeImage: string;
  readonly access: { readonly address: string; readonly version: string; readonly weaknesses: readonly string[] };
  readonly unmaskedSecrets: readonly UnmaskedSecret[];
  readonly missingPermissions: Known<readonly MissingPermission[]>;
  /** The kubeconfig's user; asked for where permissions are missing. */
  readonly user: Known<string>;
  readonly server: Known<ServerFacts>;
  readonly databases: Known<readonly DatabaseFacts[]>;
  /** Prepared transactions and replication slots. */
  readonly obstacles: Known<readonly Obstacle[]>;
  /** By database, for those that accept connections. */
  readonly extensions: Known<Readonly<Record<string, readonly ExtensionFacts[]>>>;
  /** Libraries of C functions, and those that settings load. */
  readonly libraries: Known<Libraries>;
  /** By database: the collations of its indexes, and how they sort. */
  readonly sortOrders: Known<SortOrders>;
  readonly hazards: Known<HazardFacts>;
  readonly files: Known<VolumeFiles>;
  /** Whether the volume makes reflinks and hard links; asked for by `probe-volume`. */
  readonly volumeTrial: Known<VolumeTrial>;
  /** Names of other pods that mount the volume. */
  readonly otherVolumeUsers: Known<readonly string[]>;
  /** Seconds until the slowest application was ready at its last start; undefined where no pod shows it. */
  readonly applicationStart: Known<number | undefined>;
  /** Sessions other than the action's that were there before and after everything else was read. */
  readonly clients: Known<readonly Client[]>;
  /** Other workloads of the namespace. */
  readonly neighbours: Known<readonly Neighbour[]>;
  /** The newest revision of each Helm release in the namespace. */
  readonly helmRevisions: Known<readonly HelmRevision[]>;
  /** Argo CD and Flux, where PostgreSQL or the applications have their marks. */
  readonly reconcilers: Known<readonly Reconciler[]>;
  /** Labels `helm.sh/chart` of PostgreSQL and the applications, each once. */
  readonly charts: Known<readonly string[]>;
  readonly snapshotClass: Known<SnapshotClassFacts>;
  readonly storageClass: Known<StorageClassFacts>;
  readonly nodes: Known<readonly V1Node[]>;
  /** PodDisruptionBudgets of the namespace. */
  readonly budgets: Known<readonly V1PodDisruptionBudget[]>;
  /** Objects that the API server would refuse, with its words. */
  readonly refused: Known<readonly string[]>;
  readonly leftoverObjects: Known<readonly string[]>;
  /** What earlier upgrades left in the storage; none while an upgrade is open. What may not be read is left out. */
  readonly keptData: Known<readonly EarlierData[]>;
  readonly upgradeProbe: Known<ImageFacts>;
  readonly servingProbe: Known<ImageFacts>;
  /** How PostgreSQL 14 starts with the StatefulSet's configuration on an empty volume. */
  readonly trial: Known<Trial>;
  /** Roles that log in with a password stored as md5. */
  readonly md5Roles: Known<readonly string[]>;
  /** Results of the dumps and restores that pg_upgrade will do. */
  readonly restoreTest: Known<RestoreTestFacts>;
  /** NetworkPolicies of the namespace. */
  readonly networkPolicies: Known<readonly NetworkPolicy[]>;
  /** What GitHub answered about the pull request for the values file; undefined when there will be none. */
  readonly pullRequest: readonly ProbeFact[] | undefined;
}

/** How the volume can be snapshotted. */
export interface SnapshotClassFacts {
  readonly driver: string | undefined;
  readonly chosen: VolumeSnapshotClass | undefined;
  readonly candidates: readonly string[];
}

/** The StorageClass of the server's claim. */
export interface StorageClassFacts {
  /** Empty where the claim names none. */
  readonly name: string;
  /** Undefined where there is no class of that name any more. */
  readonly found: V1StorageClass | undefined;
}

/** Stands among the stages for the Job of pg_upgrade alone, since its pod ran. */
export const rehearsedJob = 'rehearsal-job';
/** The same for the snapshot, since it was asked for: until it was cut, and until it was ready. */
export const rehearsedCut = 'rehearsal-cut';
export const rehearsedReady = 'rehearsal-ready';

/** Seconds of the stages of a rehearsal, by their ids. */
type RehearsedSeconds = Readonly<Record<string, number>>;

/** A rehearsal that has restored a copy by the very kind of backup that this upgrade makes. */
export interface RehearsalProof {
  /** The run's address. */
  readonly run: string;
  /** When it ended, by the API server's clock. */
  readonly at: string;
  /** Whether the storage had cut the snapshot when it said so; undefined where the copy was a clone. */
  readonly cuts?: 'in-time' | 'late' | undefined;
}

/** With what a rehearsal took that counts for this upgrade, and whether it proves the backup; undefined where none does, or nobody has asked. */
export interface FactsWithRehearsal extends Facts {
  readonly rehearsed?: RehearsedSeconds | undefined;
  readonly rehearsalProof?: RehearsalProof | undefined;
}
