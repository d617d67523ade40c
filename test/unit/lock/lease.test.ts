import { describe, expect, test } from '@jest/globals';
import { answerError, connectionError } from '../../../src/adapters/api-error.ts';
import { expectNoHolder, HeldLease, releaseExpired } from '../../../src/lock/lease.ts';
import { fencingTokenLabel } from '../../../src/objects/fencing-token.ts';
import { leaseName } from '../../../src/objects/lease.ts';
import { namespace } from '../objects.ts';
import { thrownBy } from '../thrown.ts';
import { first, scene, second } from './scene.ts';

test('a renewal that lasted long is made once more, since the time that it wrote is an old one', async () => {
  const { cluster, server, run, lease } = scene();
  const outside = run();
  const held = await HeldLease.acquire(outside, namespace, first);
  let isSlow = true;
  cluster.hooks.push(({ method }) => {
    if (method !== 'patch' || !isSlow) return;
    isSlow = false;
    server.pass(90_000);
    outside.clock.pass(90_000);
  });
  await held.renew();
  expect(lease()?.spec?.renewTime).toBe('2026-01-02T03:05:35.000000Z');
});

describe('a Lease that is left when the upgrade has come to its end', () => {
  test('is given back when the run that held it is dead', async () => {
    const { run, server, lease } = scene();
    const { token } = await HeldLease.acquire(run(), namespace, first);
    server.pass(61_000);
    await releaseExpired(run(), namespace, second);
    expect(lease()?.spec?.holderIdentity).toBe('');
    expect(Number(lease()?.metadata?.labels?.[fencingTokenLabel])).toBeGreaterThan(Number(token));
  });

  test.each(['is held by a living run', 'is held by nobody', 'is not there'])(
    'is not touched where it %s',
    async (how) => {
      const { run, cluster, lease } = scene();
      if (how !== 'is not there') {
        const held = await HeldLease.acquire(run(), namespace, first);
        if (how === 'is held by nobody') await held.release();
      }
      const before = lease();
      const changes: string[] = [];
      cluster.hooks.push(({ method }) => {
        if (!['get', 'find', 'list', 'now'].includes(method)) changes.push(method);
      });
      await releaseExpired(run(), namespace, second);
      expect(changes).toEqual([]);
      expect(lease()).toEqual(before);
    },
  );
});

describe('taking the Lease', () => {
  test('makes it, with who holds it since when, by the time of the API server', async () => {
    const { run, lease } = scene();
    const { token } = await HeldLease.acquire(run(), namespace, first);
    expect(lease()?.spec).toEqual({
      holderIdentity: first,
      leaseDurationSeconds: 60,
      acquireTime: '2026-01-02T03:04:05.000000Z',
      renewTime: '2026-01-02T03:04:05.000000Z',
    });
    expect(lease()?.metadata?.labels).toEqual({
      'app.kubernetes.io/managed-by': 'circleci-server-postgresql-upgrade',
      [fencingTokenLabel]: token,
    });
  });

  test.each([0, 59_000, 60_000])('is refused %d ms after a living run renewed it, which is named', async (passed) => {
    const { run, server, lease, cluster } = scene();
    await HeldLease.acquire(run(), namespace, first);
    const before = lease();
    server.pass(passed);
    const error = await thrownBy(() => HeldLease.acquire(run(), namespace, second));
    expect(error.code).toBe('upgrade-held');
    expect(error.message).toContain(`${first} has held Lease ${leaseName} since 2026-01-02T03:04:05.000Z`);
    expect(error.message).toContain(`${String(passed / 1000)} s ago`);
    expect(error.remedy.text).toContain('expires at 2026-01-02T03:05:05.000Z');
    expect(lease()).toEqual(before);
    expect((await thrownBy(() => expectNoHolder(cluster, namespace))).code).toBe('upgrade-held');
  });

  test('from a run that has not renewed it in time says so, and begins another token', async () => {
    const { run, server, lease, cluster } = scene();
    const { token } = await HeldLease.acquire(run(), namespace, first);
    server.pass(61_000);
    await expectNoHolder(cluster, namespace);
    const outside = run();
    const taken = await HeldLease.acquire(outside, namespace, second);
    expect(Number(taken.token)).toBeGreaterThan(Number(token));
    expect(lease()?.spec?.holderIdentity).toBe(second);
    expect(outside.log.text).toContain(`from ${first}, which has not renewed it for 61 s`);
  });

  test("does not go by the runner's clock", async () => {
    const { run } = scene();
    await HeldLease.acquire(run(), namespace, first);
    const hasty = run();
    hasty.clock.pass(3_600_000);
    expect((await thrownBy(() => HeldLease.acquire(hasty, namespace, second))).code).toBe('upgrade-held');
  });

  test.each(['made', 'taken over'])('of several runs that try at once, one wins: a Lease that is %s', async (how) => {
    const { run, server, cluster } = scene();
    if (how === 'taken over') await HeldLease.acquire(run(), namespace, first);
    server.pass(61_000);
    const tries = await Promise.allSettled(
      ['a', 'b', 'c', 'd'].map((holder) => HeldLease.acquire(run(), namespace, holder)),
    );
    const winners = tries.filter((t) => t.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    for (const { reason } of tries.filter((t) => t.status === 'rejected'))
      expect(reason).toMatchObject({ code: 'upgrade-held' });
    expect(cluster.all('leases')).toHaveLength(1);
  });

  test.each(['released', 'deleted', 'spoiled'])(
    'is possible at once when it was %s; tokens never come again',
    async (how) => {
      const { run, cluster, lease, server } = scene();
      const held = await HeldLease.acquire(run(), namespace, first);
      if (how === 'released') await held.release();
      else if (how === 'deleted') {
        cluster.remove('leases', leaseName, namespace);
        server.pass(1000);
      } else {
        cluster.put('leases', {
          metadata: { name: leaseName, namespace, labels: { [fencingTokenLabel]: 'x' } },
          spec: {},
        });
        server.pass(1000);
      }
      const next = await HeldLease.acquire(run(), namespace, second);
      expect(Number(next.token)).toBeGreaterThan(Number(held.token));
      expect(lease()?.metadata?.labels?.[fencingTokenLabel]).toBe(next.token);
    },
  );

  test('does not end in a loop where the API server refuses the change for another reason', async () => {
    const { run, cluster } = scene();
    await (await HeldLease.acquire(run(), namespace, first)).release();
    cluster.refuse('patch', 'leases', 422, 'spec.strategy: invalid');
    const error = await thrownBy(() => HeldLease.acquire(run(), namespace, second));
    expect(error.message).toContain('spec.strategy');
  });
});

describe('a run that holds the Lease', () => {
  test('renews it every third of its duration, and no other run can take it', async () => {
    const { run, server, lease } = scene();
    const outside = run();
    outside.clock.meanwhile = () => {
      server.pass(5000);
    };
    await HeldLease.acquire(outside, namespace, first);
    for (let i = 0; i < 40; i++) {
      await outside.clock.sleep(5000);
      expect((await thrownBy(() => HeldLease.acquire(run(), namespace, second))).code).toBe('upgrade-held');
    }
    expect(lease()?.spec?.renewTime).toBe('2026-01-02T03:07:25.000000Z');
    expect(lease()?.spec?.acquireTime).toBe('2026-01-02T03:04:05.000000Z');
  });

  test('keeps it while the API server is away, however long, if nobody took it', async () => {
    const { run, server, cluster } = scene();
    const outside = run();
    const held = await HeldLease.acquire(outside, namespace, first);
    let isAway = true;
    cluster.hooks.push(() => {
      if (isAway) throw connectionError('change Lease', cluster.address, new Error('ECONNREFUSED'));
    });
    server.pass(300_000);
    for (let i = 0; i < 15; i++) await outside.clock.sleep(20_000);
    expect((await thrownBy(() => held.renew())).code).toBe('unreachable');
    expect(outside.log.text).toContain('ECONNREFUSED');
    isAway = false;
    await held.renew();
    expect(held.lost).toBeUndefined();
    expect((await thrownBy(() => HeldLease.acquire(run(), namespace, second))).code).toBe('upgrade-held');
  });

  test('and was paused loses it to another one, hears it at its next beat, and beats no more', async () => {
    const { run, server, lease } = scene();
    const outside = run();
    const held = await HeldLease.acquire(outside, namespace, first);
    server.pass(600_000);
    await HeldLease.acquire(run(), namespace, second);
    const after = lease();
    expect(held.lost).toBeUndefined();
    await outside.clock.sleep(20_000);
    expect(held.lost).toMatchObject({ code: 'lease-lost' });
    expect(held.lost?.message).toContain(`${second} took over the Lease at 2026-01-02T03:14:05.000Z`);
    expect(held.lost?.remedy.text).toContain(second);
    expect(() => {
      held.expectHeld();
    }).toThrow(held.lost);
    expect(await thrownBy(() => held.renew())).toBe(held.lost);
    expect(outside.clock.repeating).toBe(0);
    await held.release();
    expect(lease()).toEqual(after);
  });

  test.each(['ended', 'deleted'])('loses it also to a run that is not seen any more: Lease %s', async (how) => {
    const { run, server, cluster } = scene();
    const held = await HeldLease.acquire(run(), namespace, first);
    server.pass(600_000);
    if (how === 'ended') await (await HeldLease.acquire(run(), namespace, second)).release();
    else cluster.remove('leases', leaseName, namespace);
    const error = await thrownBy(() => held.renew());
    expect(error.code).toBe('lease-lost');
    expect(error.message).toContain(
      how === 'ended' ? 'has held it meanwhile and has ended' : 'somebody deleted the Lease',
    );
  });

  test('does not lose it to its own name: another process of that name has another token', async () => {
    const { run, server } = scene();
    const held = await HeldLease.acquire(run(), namespace, 'process 1');
    server.pass(61_000);
    await HeldLease.acquire(run(), namespace, 'process 1');
    expect((await thrownBy(() => held.renew())).code).toBe('lease-lost');
  });

  test('has not lost it when the API server refuses a renewal for another reason', async () => {
    const { run, cluster } = scene();
    const held = await HeldLease.acquire(run(), namespace, first);
    cluster.refuse('patch', 'leases', 422, 'a webhook says no');
    expect((await thrownBy(() => held.renew())).message).toContain('a webhook says no');
    expect(held.lost).toBeUndefined();
  });

  test('gives it back at its end and beats no more; that it can not is no error', async () => {
    const { run, lease, cluster } = scene();
    const outside = run();
    const held = await HeldLease.acquire(outside, namespace, first);
    await held.release();
    expect(lease()?.spec?.holderIdentity).toBe('');
    expect(outside.clock.repeating).toBe(0);
    const again = await HeldLease.acquire(outside, namespace, second);
    cluster.hooks.push(() => {
      throw answerError('change Lease', 500, '');
    });
    await again.release();
    expect(outside.log.text).toContain('which expires by itself');
  });
});
