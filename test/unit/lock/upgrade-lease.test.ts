import { describe, expect, jest, test } from '@jest/globals';
import { isRunError, type RunError } from '../../../src/common/errors.ts';
import { jobName } from '../../../src/objects/upgrade-job.ts';
import { resources, type ResourceName } from '../../../src/ports/cluster.ts';
import { serverNames } from '../../../src/target/server-names.ts';
import { choiceOf } from '../../choice.ts';
import { ungranted } from '../../granted.ts';
import { fencingTokenLabel } from '../../../src/objects/fencing-token.ts';
import { leaseName } from '../../../src/objects/lease.ts';
import { withUpgradeLease } from '../../../src/lock/upgrade-lease.ts';
import { FakeClock } from '../fake-clock.ts';
import type { Call, FakeCluster } from '../fake-cluster.ts';
import { FakeLog } from '../fake-runner.ts';
import { configMap, namespace, newImage, target } from '../objects.ts';
import { thrownBy } from '../thrown.ts';
import { collectPods, ending, revertName } from '../upgrade/job-controller.ts';
import { live } from '../upgrade/live.ts';
import { pausedAt } from '../upgrade/paused-cluster.ts';
import { runAlone } from '../upgrade/two-runs.ts';

jest.setTimeout(240_000);

const reverted = ending(0, { command: 'revert', outcome: 'reverted', message: 'the old data directory is back' });
const stories = {
  'an upgrade that goes well': { [jobName]: ending(0), [revertName]: reverted },
  'an upgrade whose Job fails': { [jobName]: ending(1), [revertName]: reverted },
};
const usersObjects = [
  ['statefulsets', 'postgresql'],
  ['persistentvolumes', 'pv-1'],
  ['deployments', 'frontend'],
  ['deployments', 'insights'],
  ['cronjobs', 'nightly'],
  ['cronjobs', 'paused'],
] as const;

/** A cluster whose time goes on with `server`. */
async function scene(story: keyof typeof stories = 'an upgrade that goes well') {
  const setting = await live(stories[story]);
  collectPods(setting);
  const server = new FakeClock();
  setting.cluster.time = () => server.now();
  return { ...setting, server };
}

/** Everything that there is, and every command that was run. */
function worldOf(cluster: FakeCluster) {
  return {
    objects: (Object.keys(resources) as ResourceName[]).flatMap((resource) => cluster.all(resource) as object[]),
    commands: cluster.calls.filter((call) => call.method === 'exec').length,
  };
}

function expectNoTrace(cluster: FakeCluster): void {
  for (const [resource, name] of usersObjects)
    expect(cluster.peek(resource, name, namespace)?.metadata?.labels ?? {}).not.toHaveProperty([fencingTokenLabel]);
}

describe('an upgrade under the Lease', () => {
  test('leaves it to whoever comes next, and nothing on what is not ours', async () => {
    const { cluster, image } = await scene();
    expect(await runAlone(cluster, 'run-1')).toBe('upgraded');
    expect(image()).toBe(newImage);
    expect(cluster.peek('leases', leaseName, namespace)?.spec?.holderIdentity).toBe('');
    expectNoTrace(cluster);
  });

  test('claims everything that it changes before it changes anything', async () => {
    const { cluster } = await scene();
    const claimed: string[] = [];
    const changed: string[] = [];
    cluster.hooks.push((call: Call) => {
      if (call.method !== 'patch' || call.resource === 'leases') return;
      const text = JSON.stringify(call.body);
      if (text.includes('"add","path":"/metadata/labels')) claimed.push(call.name);
      else if (changed.push(call.name) === 1)
        expect([...claimed].sort()).toEqual(usersObjects.map(([, name]) => name).sort());
    });
    await runAlone(cluster, 'run-1');
    expect(changed.length).toBeGreaterThan(10);
  });

  test('is refused while another one is at it, and changes nothing', async () => {
    const { cluster } = await scene();
    const errors: Promise<RunError>[] = [];
    cluster.hooks.push((call) => {
      // Before anything was measured: to unpack that takes the second run longer than the first one takes to its end.
      if (call.method === 'create' && call.resource === 'volumesnapshots' && errors.length === 0)
        errors.push(thrownBy(() => runAlone(cluster, 'run-2')));
    });
    expect(await runAlone(cluster, 'run-1')).toBe('upgraded');
    expect(await Promise.all(errors)).toMatchObject([{ code: 'upgrade-held' }]);
  });

  test('that fails before its first change gives everything back', async () => {
    const { cluster } = await scene();
    cluster.refuse('create', 'configmaps', 403, 'exceeded quota');
    expect((await thrownBy(() => runAlone(cluster, 'run-1'))).message).toContain('exceeded quota');
    expectNoTrace(cluster);
    expect(cluster.peek('leases', leaseName, namespace)?.spec?.holderIdentity).toBe('');
  });

  test('claims an object again whose label somebody took off', async () => {
    const { cluster, image } = await scene();
    cluster.hooks.push((call) => {
      if (call.method !== 'create' || call.resource !== 'jobs') return;
      const now = cluster.peek('statefulsets', 'postgresql', namespace);
      if (now !== undefined) cluster.put('statefulsets', { ...now, metadata: { ...now.metadata, labels: {} } });
    });
    expect(await runAlone(cluster, 'run-1')).toBe('upgraded');
    expect(image()).toBe(newImage);
    expectNoTrace(cluster);
  });

  test("a deletion that names another object's UID deletes nothing", async () => {
    const { cluster } = await scene();
    cluster.put('configmaps', configMap('theirs', {}));
    const { uid } = cluster.peek('configmaps', 'theirs', namespace)?.metadata ?? {};
    const lease = { namespace, statefulSet: 'postgresql', applications: [], volume: 'pv-1' };
    const outside = { connection: cluster, clock: new FakeClock(), log: new FakeLog() };
    await withUpgradeLease(outside, lease, 'run-1', async (leased) => {
      const of = (given: string | undefined) =>
        leased.delete('configmaps', 'theirs', namespace, { preconditions: { uid: given } });
      expect((await thrownBy(() => of('another'))).code).toBe('conflict');
      expect(cluster.peek('configmaps', 'theirs', namespace)).toBeDefined();
      await of(uid);
    });
    expect(cluster.peek('configmaps', 'theirs', namespace)).toBeUndefined();
  });

  test('asks the API server for nothing that its table of permissions lacks', async () => {
    const { cluster } = await scene('an upgrade whose Job fails');
    await thrownBy(() => runAlone(cluster, 'run-1'));
    expect(ungranted(cluster.calls, serverNames(await target()))).toEqual([]);
  });
});

describe.each(Object.keys(stories) as (keyof typeof stories)[])('%s', (story) => {
  test.each(['before', 'after'] as const)(
    'and is paused for ten minutes %s the effect of any of its calls changes nothing once another run has taken over',
    async (when) => {
      const whole = await scene(story);
      const { cluster: counted, made } = pausedAt(whole.cluster, Infinity, when, () => Promise.resolve());
      await runAlone(counted, 'run-1').catch(() => undefined);
      // After a read is before the next call, and so it is after a renewal, which a request follows that goes with it.
      const isTold = (call: string) => when === 'before' || /^(create|patch|delete|exec) (?!\["leases)/.test(call);
      let [lost, unhurt] = [0, 0];
      const told = made.flatMap((call, index) => (isTold(call) ? [index + 1] : []));
      expect(told.length).toBeGreaterThan(40);
      for (const at of choiceOf(told, 20)) {
        const { cluster, server } = await scene(story);
        let after: ReturnType<typeof worldOf> | undefined;
        const sleepy = pausedAt(cluster, at, when, async () => {
          server.pass(600_000);
          await runAlone(cluster, 'run-2').catch((error: unknown) => {
            if (!isRunError(error) || error.code !== 'reverted') throw error;
          });
          after = worldOf(cluster);
        });
        try {
          const error = await runAlone(sleepy.cluster, 'run-1').then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
          const code = isRunError(error) ? error.code : error;
          if (code === 'lease-lost') lost++;
          else unhurt++;
          // Before it takes the Lease it may find out that there is nothing to do, or begin anew after a way back, and after its last write it has nothing left to lose.
          if (code === 'lease-lost') expect(worldOf(cluster)).toEqual(after);
          else expect([undefined, 'reverted', 'already-upgraded', 'conflict']).toContain(code);
        } catch (error) {
          throw new Error(`paused at call ${String(at)}: ${sleepy.made[at - 1] ?? ''}`, { cause: error });
        }
      }
      expect(lost).toBeGreaterThan(unhurt);
    },
  );
});
