import type { Answer } from '../findings/finding.ts';
import type { Database } from '../database/database.ts';
import type { Measurement } from '../database/measurement.ts';
import type { LeasedCluster } from '../ports/cluster.ts';
import type { RehearsalContext } from './context.ts';

/** What later stages need of earlier ones. */
export interface Memory {
  /** What was measured on PostgreSQL 12 on the copy. */
  before?: Measurement;
  /** PostgreSQL 14 on the copy, once it answers. */
  server?: Database<LeasedCluster>;
  /** imageID of the upgrade Job, and of PostgreSQL 14, as their pods had them. */
  upgradeImage?: string | undefined;
  servingImage?: string | undefined;
  /** Seconds within the stages, by ids of their own. */
  readonly seconds: Record<string, number>;
  /** Where in the WAL what was written ends that the snapshot must not hold. */
  mark?: string;
  /** Whether the storage had cut the snapshot when it said so; undefined where that was not seen, and for a clone. */
  cuts?: 'in-time' | 'late' | undefined;
  /** What was measured on PostgreSQL 14. */
  after?: Measurement;
}

/** One part of a rehearsal, and the finding that it gives. */
export interface Stage {
  readonly id: string;
  readonly title: string;
  /**
   * @returns what was seen
   * @throws what kept it from being seen: the finding is unknown then
   */
  run(context: RehearsalContext, memory: Memory): Promise<Answer>;
}

/** What the stages before have seen, or this one does not run. */
export function expectMeasured({ before, server }: Memory) {
  if (before === undefined || server === undefined) throw new Error('A stage ran before the ones that it needs.');
  return { before, server };
}
