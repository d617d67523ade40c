import type { AnyCluster } from '../any-cluster.ts';
import { Database } from '../../../src/database/database.ts';
import { Timeline } from '../../../src/report/timeline.ts';
import { discover } from '../../../src/target/discover.ts';
import { serverImage } from '../../../src/target/target.ts';
import { Journal } from '../../../src/journal/journal.ts';
import { withUpgradeLease } from '../../../src/lock/upgrade-lease.ts';
import { expectCompleted } from '../../../src/upgrade/contract/ending.ts';
import { resumeUpgrade } from '../../../src/upgrade/resume.ts';
import { runUpgrade } from '../../../src/upgrade/upgrade.ts';
import { FakeClock } from '../fake-clock.ts';
import { FakeLog } from '../fake-runner.ts';
import { inputs, namespace, newImage, password } from '../objects.ts';
import { facts } from '../prechecks/facts.ts';
import { noCommands } from './context.ts';
import { seal } from './sealed.ts';

/** A run of the action on a runner of its own, from what it finds to its end; over a connection of its own. */
export async function runAlone(
  cluster: AnyCluster,
  runId: string,
  clock = new FakeClock(),
): Promise<'upgraded' | 'already-upgraded'> {
  const log = new FakeLog();
  const target = await discover(cluster, inputs());
  const earlier = await Journal.find(cluster, namespace, seal);
  const isOpen = earlier?.isClosed === false;
  if (!isOpen && serverImage(target) === newImage) return 'already-upgraded';
  const record = isOpen
    ? earlier.record
    : { statefulSet: target.name, applications: target.applications, volume: 'pv-1' };
  await withUpgradeLease({ connection: cluster, clock, log }, { ...record, namespace }, runId, async (held) => {
    const given = {
      ...{ cluster: held, clock, log, target },
      signal: new AbortController().signal,
      inputs: inputs(),
      database: new Database(held, target, password, 'postgres'),
      scripts: { 'upgrade.sh': 'echo upgrade' },
      timeline: new Timeline(clock),
      runCommands: noCommands,
      results: { warnings: [] },
    };
    const journal = await Journal.find(held, namespace, seal);
    if (journal?.isClosed === false) expectCompleted(await resumeUpgrade(given, journal));
    else expectCompleted(await runUpgrade({ ...given, facts: await facts({ target }), runId, seal }));
  });
  return 'upgraded';
}
