import type { Clock } from './clock.ts';
import type { ClusterReader } from './cluster.ts';
import type { Log } from './runner.ts';

/** What every part that talks to the outside gets as a parameter. */
export interface Deps<C = ClusterReader> {
  readonly cluster: C;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts when the workflow run is cancelled. */
  readonly signal: AbortSignal;
}
