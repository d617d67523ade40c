import { describe, expect, test } from '@jest/globals';
import { awaitNoHolder, HeldLease } from '../../../src/lock/lease.ts';
import { leaseName } from '../../../src/objects/lease.ts';
import { namespace } from '../objects.ts';
import { thrownBy } from '../thrown.ts';
import { first, scene, second } from './scene.ts';

describe('waiting for the Lease of another run', () => {
  /** A run that waits: what happens in the cluster each time that it sleeps. */
  function waiting(meanwhile: (world: ReturnType<typeof scene>) => Promise<void> | void = () => undefined) {
    const world = scene();
    const { connection: cluster, clock, log } = world.run();
    const cancelled = new AbortController();
    let asleep = 0;
    clock.meanwhile = (elapsed) => {
      world.server.pass(elapsed - asleep);
      asleep = elapsed;
      void meanwhile(world);
    };
    const wait = () => awaitNoHolder({ cluster, clock, log, signal: cancelled.signal }, namespace);
    return { ...world, clock, log, cancelled, wait };
  }

  test('takes no time where nobody holds it', async () => {
    const { clock, run, wait } = waiting();
    await wait();
    await (await HeldLease.acquire(run(), namespace, first)).release();
    await wait();
    expect(clock.pauses).toEqual([]);
  });

  test('ends when the Lease of a dead run expires, and says so meanwhile', async () => {
    const { clock, log, run, wait, lease } = waiting();
    await HeldLease.acquire(run(), namespace, first);
    const before = lease();
    await wait();
    expect(clock.monotonic()).toBeGreaterThan(60_000);
    expect(clock.monotonic()).toBeLessThan(62_000);
    expect(log.text).toContain(
      `Waiting for Lease ${leaseName} of ${first} to expire: not renewed since 2026-01-02T03:04:05`,
    );
    expect(log.text).toMatch(/dead \(6[01] s, expected about 60 s, at most 2 min\)$/);
    expect(lease()).toEqual(before);
  });

  test('ends at once when its holder gives it back', async () => {
    const held: HeldLease[] = [];
    const { clock, run, wait } = waiting(() => held[0]?.release());
    held.push(await HeldLease.acquire(run(), namespace, first));
    await wait();
    expect(clock.pauses).toHaveLength(1);
  });

  test.each(['renews it', 'is followed by another one'])('is refused when its holder %s', async (what) => {
    const { clock, run, wait, server, lease, cluster } = waiting();
    const held = await HeldLease.acquire(run(), namespace, first);
    server.pass(15_000);
    let isDone = false;
    clock.meanwhile = () => {
      server.pass(1000);
      if (isDone) return;
      isDone = true;
      if (what === 'renews it') void held.renew();
      else cluster.put('leases', { ...lease(), spec: { ...lease()?.spec, holderIdentity: second } });
    };
    const error = await thrownBy(wait);
    expect(error.code).toBe('upgrade-held');
    expect(error.message).toContain(what === 'renews it' ? first : second);
    expect(clock.pauses.length).toBeLessThan(4);
  });

  test('is refused at once where no run of ours can have written the Lease', async () => {
    const { cluster, run, wait, lease, clock } = waiting();
    await HeldLease.acquire(run(), namespace, first);
    cluster.put('leases', { ...lease(), spec: { ...lease()?.spec, renewTime: '2027-01-02T03:04:05.000000Z' } });
    expect((await thrownBy(wait)).code).toBe('lease-foreign');
    expect(clock.pauses).toEqual([]);
  });

  test('ends when the run is cancelled', async () => {
    const one = waiting(() => {
      one.cancelled.abort();
    });
    await HeldLease.acquire(one.run(), namespace, first);
    expect((await thrownBy(one.wait)).code).toBe('cancelled');
  });
});
