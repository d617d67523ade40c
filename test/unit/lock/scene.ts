// A Lease, and runs that want it.
import { leaseName } from '../../../src/objects/lease.ts';
import { FakeClock } from '../fake-clock.ts';
import { FakeCluster } from '../fake-cluster.ts';
import { FakeLog } from '../fake-runner.ts';
import { namespace } from '../objects.ts';

export const first = 'https://github.example/o/r/actions/runs/1/attempts/1';
export const second = 'https://github.example/o/r/actions/runs/2/attempts/1';

/** A cluster with a clock of its own, and runs with clocks of theirs. */
export function scene() {
  const cluster = new FakeCluster();
  const server = new FakeClock();
  cluster.time = () => server.now();
  const run = () => ({ connection: cluster, clock: new FakeClock(), log: new FakeLog() });
  const lease = () => cluster.peek('leases', leaseName, namespace);
  return { cluster, server, run, lease };
}
