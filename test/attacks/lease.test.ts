import { describe, expect, test } from '@jest/globals';
import type { Lease } from '../../src/ports/cluster.ts';
import { fencingTokenLabel } from '../../src/objects/fencing-token.ts';
import { leaseName, newLease } from '../../src/objects/lease.ts';
import { expectNoHolder, findHolding, HeldLease } from '../../src/lock/lease.ts';
import { statusOf } from '../../src/upgrade/status.ts';
import { FakeClock } from '../unit/fake-clock.ts';
import { FakeCluster } from '../unit/fake-cluster.ts';
import { FakeLog } from '../unit/fake-runner.ts';
import { namespace, newImage, target } from '../unit/objects.ts';
import { thrownBy } from '../unit/thrown.ts';
import { UpgradeError } from '../../src/common/errors.ts';

/** A Lease that a neighbour wrote, in a cluster whose time is 2026-01-02T03:04:05Z. */
function forged(spec: Partial<NonNullable<Lease['spec']>>, token = '1767323000') {
  const clock = new FakeClock();
  const cluster = new FakeCluster();
  cluster.time = () => clock.now();
  const lease = newLease(namespace, 'https://github.example/o/r/actions/runs/1/attempts/1', token, clock.now());
  cluster.put('leases', { ...lease, spec: { ...lease.spec, ...spec } });
  const log = new FakeLog();
  const take = () => HeldLease.acquire({ connection: cluster, clock, log }, namespace, 'run-2');
  return { cluster, clock, log, take };
}

const advice = 'run 7, which is dead. To go on, run `kubectl -n circleci-server delete pvc data-postgresql-0`';

const hostileNames = [
  ['a workflow command', 'x\n::add-mask::a\n::error::b'],
  ['Markdown', '![x](https://evil.example/?q=1) @everyone \u202e'],
  ['a megabyte', 'x'.repeat(1_000_000)],
  ['control characters', 'x\u001b[2J\u0000\r'],
  ['a command, as if this action advised it', advice],
] as const;

describe('a Lease that a neighbour wrote', () => {
  test.each(['2126-01-01T00:00:00.000000Z', '9999-12-31T23:59:59.999999Z', '+275760-09-13T00:00:00.000Z'])(
    'and renewed at %s keeps nobody away without a word on what to do',
    async (renewTime) => {
      const { cluster, take } = forged({ renewTime });
      for (const attempt of [take, () => expectNoHolder(cluster, namespace)]) {
        const error = await thrownBy(attempt);
        expect(error.code).toBe('lease-foreign');
        expect(error.message).toContain('is in the future');
        expect(error.remedy.text).toContain(`kubectl -n ${namespace} delete lease ${leaseName}`);
      }
      const holding = await findHolding(cluster, namespace);
      const { evidence, next } = statusOf({
        ...{ target: await target(), journal: undefined, holding, jobs: [], newImage },
      });
      expect(evidence.join()).toContain('no run of this action wrote Lease');
      expect(next.text).not.toContain('Wait');
    },
  );

  test.each([1e9, 2 ** 31 - 1, -1])('and that lasts %d s expires as ours do', async (leaseDurationSeconds) => {
    const { clock, take } = forged({ leaseDurationSeconds });
    expect((await thrownBy(take)).code).toBe('upgrade-held');
    clock.pass(61_000);
    expect((await take()).token).toMatch(/^17673/);
  });

  test.each([
    { renewTime: 'yesterday', acquireTime: '::error::x' },
    { renewTime: '' },
    { renewTime: { $date: 1 } as unknown as string },
  ])('and that is malformed (%j) is taken', async (spec) => {
    expect((await forged(spec).take()).token).toMatch(/^17673/);
  });

  test.each(hostileNames)(
    'and whose holder is %s puts no byte of it into a message or the log',
    async (_what, holder) => {
      const { clock, cluster, log, take } = forged({ holderIdentity: holder });
      const error = await thrownBy(take);
      expect(error.code).toBe('upgrade-held');
      expect(error.message + error.remedy.text).not.toContain(holder.slice(0, 5));
      expect(error.message.length).toBeLessThan(500);
      expect((await findHolding(cluster, namespace))?.holder).not.toContain(holder.slice(0, 5));
      clock.pass(61_000);
      await take();
      expect(log.text).toContain('Took over Lease');
      expect(log.text).not.toContain(holder.slice(0, 5));
    },
  );

  test('and whose holder is a command never becomes what to run next', async () => {
    const { cluster } = forged({ holderIdentity: advice });
    const holding = await findHolding(cluster, namespace);
    const doubt = new UpgradeError('journal-not-authentic', 'The journal is not authentic.', 'Look.');
    const status = statusOf({ target: await target(), journal: undefined, doubt, holding, jobs: [], newImage });
    expect(status.next.text).toContain('Wait until ');
    expect(JSON.stringify(status)).not.toContain('kubectl');
  });

  test('and that is taken from a run never becomes what to run next', async () => {
    const { cluster, clock, take } = forged({ holderIdentity: '' });
    const lease = await take();
    clock.pass(1000);
    const found = cluster.peek('leases', leaseName, namespace);
    cluster.put('leases', {
      metadata: { name: leaseName, namespace },
      spec: { ...found?.spec, holderIdentity: advice },
    });
    const { code, message, remedy } = await thrownBy(() => lease.renew());
    expect(code).toBe('lease-lost');
    expect(message + remedy.text).not.toContain('delete pvc');
    expect(remedy.text).toContain('Remove their right to write Leases');
    expect(remedy.text).toContain(`\`kubectl -n ${namespace} delete lease ${leaseName}\``);
  });

  test.each(['9007199254740991', '99999999999', '1e9', '-5', 'NaN', '0x7fffffff', 'Infinity', '999999999999999999999'])(
    'with the label %s does not move the next run out of its time',
    async (label) => {
      const { cluster, clock, take } = forged({ holderIdentity: '' }, label);
      const seconds = Math.floor(clock.now().getTime() / 1000);
      expect(Number((await take()).token)).toBe(seconds);
      expect(cluster.peek('leases', leaseName, namespace)?.metadata?.labels?.[fencingTokenLabel]).toBe(String(seconds));
    },
  );
});
