import type { AnyCluster } from '../unit/any-cluster.ts';
import { discover } from '../../src/target/discover.ts';
import { claimInSwap } from '../../src/upgrade/backup/volume-swap.ts';
import { Journal } from '../../src/journal/journal.ts';
import { expectCompleted, type WayBack } from '../../src/upgrade/contract/ending.ts';
import { resumeUpgrade } from '../../src/upgrade/resume.ts';
import { beginRollback, rollBack } from '../../src/upgrade/rollback.ts';
import { contextOf, runUpgrade } from '../../src/upgrade/upgrade.ts';
import { inputs, namespace } from '../unit/objects.ts';
import { facts } from '../unit/prechecks/facts.ts';
import { Killed } from '../unit/upgrade/dying-cluster.ts';
import { anotherRun, live } from '../unit/upgrade/live.ts';
import { seal } from '../unit/upgrade/sealed.ts';

export type Live = Awaited<ReturnType<typeof live>>;

const calls = ['version', 'now', 'find', 'list', 'create', 'patch', 'delete', 'podLog', 'watchPod', 'exec'] as const;

/** An upgrade whose process is killed at the first call for which that is true. */
export async function upgradeUntil(setting: Live, isKilled: () => boolean): Promise<void> {
  const { cluster } = setting;
  const mortal = Object.fromEntries(
    calls.map((name) => [
      name,
      async (...given: never[]) => {
        if (isKilled()) throw new Killed('killed');
        return await (cluster[name] as (...parameters: never[]) => Promise<unknown>).call(cluster, ...given);
      },
    ]),
  ) as unknown as AnyCluster;
  Object.assign(mortal, { address: cluster.address, interruptedBy: () => mortal });
  const target = await discover(mortal, inputs());
  const given = anotherRun(setting, mortal, target);
  await runUpgrade({ ...given, seal, facts: await facts({ target }), runId: 'run-1' }).catch(() => undefined);
}

async function found({ cluster }: Live) {
  const earlier = await Journal.find(cluster, namespace, seal);
  if (earlier === undefined) throw new Error('there is no journal');
  const target = await discover(cluster, inputs(), () => Promise.resolve(claimInSwap(earlier)));
  return { earlier, target };
}

/** What `mode: rollback` does. @returns how it ended, and what it says of that */
export async function rollBackNow(setting: Live): Promise<string> {
  const { end, message } = await endOfRollback(setting);
  return `${end}: ${message}`;
}

/** What `mode: rollback` does. */
export async function endOfRollback(setting: Live): Promise<WayBack> {
  const { cluster, context, clock } = setting;
  const { earlier, target } = await found(setting);
  const journal = await beginRollback(cluster, { target, seal }, earlier, {
    runId: 'run-2',
    startedAt: clock.now().toISOString(),
    reason: 'it was asked for',
  });
  const given = { ...anotherRun(setting, cluster, target), results: context.results };
  return await rollBack({ ...contextOf(given, journal), isResumed: true });
}

/** What `mode: upgrade` does with an open journal. @throws what it throws */
export async function resumeNow(setting: Live): Promise<void> {
  const { earlier, target } = await found(setting);
  expectCompleted(await resumeUpgrade(anotherRun(setting, setting.cluster, target), earlier));
}
