import { describe, expect, test } from '@jest/globals';
import { anchorName } from '../../../src/objects/anchor.ts';
import { jobName } from '../../../src/objects/upgrade-job.ts';
import type { FakeCluster } from '../fake-cluster.ts';
import { namespace, newImage, oldImage, target } from '../objects.ts';
import { unread } from '../prechecks/facts.ts';
import { serverNames } from '../../../src/target/server-names.ts';
import { ungranted } from '../../granted.ts';
import { thrownBy } from '../thrown.ts';
import { ending, revertName, served } from './job-controller.ts';
import { live, loseRowOn14 } from './live.ts';
import { writesBesidesCounting } from './sealed.ts';

describe('an upgrade', () => {
  test('goes from PostgreSQL 12 to PostgreSQL 14 and brings everything back', async () => {
    const { begin, image, journal, replicas, cluster } = await live();
    const results = await begin();
    expect(results).toMatchObject({ jobRun: { phase: 'ended' }, warnings: [] });
    expect(image()).toBe(newImage);
    expect(replicas()).toBe(3);
    expect(journal()).toMatchObject({ outcome: 'upgraded', backup: results.backup?.name });
    expect(cluster.peek('statefulsets', 'postgresql', namespace)?.spec?.template.spec).not.toHaveProperty(
      'schedulingGates',
    );
  });

  test('proves the backup before the downtime, takes it of a stopped server, and runs the Job only after it', async () => {
    const { begin, cluster } = await live();
    await begin();
    const order = [
      'patch persistentvolumes/pv-1',
      expect.stringMatching(/^create volumesnapshots\/data-postgresql-0-live-/),
      'create persistentvolumeclaims/data-postgresql-0-copy',
      'create jobs/postgres-upgrade-12-to-14-boot',
      'delete jobs/postgres-upgrade-12-to-14-boot',
      'delete persistentvolumeclaims/data-postgresql-0-copy',
      `create jobs/${anchorName}`,
      'patch deployments/frontend',
      'patch statefulsets/postgresql',
      expect.stringMatching(/^create volumesnapshots\/data-postgresql-0-before-upgrade-/),
      expect.stringMatching(/^patch volumesnapshotcontents\/content-of-data-postgresql-0-before-upgrade-/),
      `create jobs/${jobName}`,
      'patch statefulsets/postgresql',
      `delete jobs/${anchorName}`,
      'patch deployments/frontend',
      'patch persistentvolumes/pv-1',
      expect.stringMatching(/^delete volumesnapshots\/data-postgresql-0-live-/),
    ];
    const seen = writesBesidesCounting(cluster).filter((w) => !/configmaps|insights|nightly|paused/.test(w));
    expect(seen).toEqual(order);
  });

  test('leaves the volume attached from its first move to its last', async () => {
    const { begin, cluster, log } = await live();
    await cluster.list('pods');
    const before = cluster.peek('volumeattachments', 'attachment');
    const seen = new Set<string | undefined>();
    cluster.hooks.push(() => seen.add(cluster.look('volumeattachments', 'attachment')?.metadata?.uid));
    await begin();
    expect(before?.metadata?.uid).toBeDefined();
    expect([...seen]).toEqual([before?.metadata?.uid]);
    expect(log.text).not.toContain('to be detached');
  });

  test('whose Job fails ends with PostgreSQL 12 and with the applications as they were', async () => {
    const reverted = ending(0, { command: 'revert', outcome: 'reverted', message: 'the old data directory is back' });
    const { begin, image, journal, replicas, state } = await live({ [jobName]: ending(1), [revertName]: reverted });
    const error = await thrownBy(begin);
    expect(error.code).toBe('reverted');
    expect(error.message).toContain('lc_collate values for database "postgres" do not match');
    expect(image()).toBe(oldImage);
    expect(state.version).toBe('12.16');
    expect(replicas()).toBe(3);
    expect(journal()).toMatchObject({ outcome: 'reverted' });
  });

  test('that a run tries again reads nothing from the Job of its first try', async () => {
    const reverted = ending(0, { command: 'revert', outcome: 'reverted', message: 'the old data directory is back' });
    const states = { [jobName]: ending(1), [revertName]: reverted };
    const { begin, image, clock } = await live(states);
    expect((await thrownBy(begin)).code).toBe('reverted');
    // The same run of the same workflow, a moment later, on a server that is mended.
    await clock.sleep(1000);
    states[jobName] = ending(0);
    await begin();
    expect(image()).toBe(newImage);
  });

  test('whose Job is refused does not leave PostgreSQL at 0', async () => {
    const { begin, cluster, image } = await live();
    cluster.refuse('create', 'jobs', 403, 'exceeded quota');
    const error = await thrownBy(begin);
    expect(error.code).toBe('reverted');
    expect(error.message).toContain('exceeded quota');
    expect(cluster.peek('statefulsets', 'postgresql', namespace)?.spec?.replicas).toBe(1);
    expect(image()).toBe(oldImage);
  });

  describe('whose data differs', () => {
    test('restores PostgreSQL 12 from the backup when the files were linked, and keeps the volume of PostgreSQL 14', async () => {
      const setting = await live({ [jobName]: ending(0), [revertName]: served('link') });
      loseRowOn14(setting);
      const error = await thrownBy(setting.begin);
      expect(error.code).toBe('reverted');
      expect(error.message).toContain('public.builds: 42 rows before, 41 rows after');
      expect(error.message).toContain('PostgreSQL 12 serves, and the applications are as they were');
      expectTwelve(setting);
      const { cluster, log, context } = setting;
      const claim = cluster.peek('persistentvolumeclaims', 'data-postgresql-0', namespace);
      expect(claim?.spec?.volumeName).toMatch(/^volume-of-/);
      expect(policyOf(cluster, claim?.spec?.volumeName)).toBe('Delete');
      expect(policyOf(cluster, 'pv-1')).toBe('Retain');
      expect(cluster.peek('persistentvolumeclaims', 'data-postgresql-0-copy', namespace)).toBeUndefined();
      expect(log.text).toContain('has the data that was measured before the upgrade');
      expect(context.results.warnings).toEqual([expect.stringContaining('PersistentVolume `pv-1` holds the data')]);
    });

    test('restores the cloned files of PostgreSQL 12, after a snapshot of what PostgreSQL 14 had', async () => {
      const back = ending(0, { command: 'rollback', outcome: 'reverted', message: 'data is PostgreSQL 12 again' });
      const setting = await live({
        [jobName]: ending(0, { transfer: 'clone' }),
        [revertName]: served('clone'),
        [`${revertName} rollback`]: back,
      });
      loseRowOn14(setting);
      expect((await thrownBy(setting.begin)).code).toBe('reverted');
      expectTwelve(setting);
      const { cluster } = setting;
      expect(cluster.peek('persistentvolumeclaims', 'data-postgresql-0', namespace)?.spec?.volumeName).toBe('pv-1');
      expect(policyOf(cluster, 'pv-1')).toBe('Delete');
      const writes = cluster.writes;
      const snapshot = writes.findIndex((w) => w.includes('create volumesnapshots/data-postgresql-0-of-14-'));
      expect(snapshot).toBeGreaterThan(0);
      expect(writes.slice(snapshot)).toContain(`create jobs/${revertName}`);
    });

    test('says that nothing leads back when there is no backup, and keeps the applications stopped', async () => {
      const setting = await live({ [jobName]: ending(0), [revertName]: served('link') }, { backup: 'external' });
      loseRowOn14(setting);
      const error = await thrownBy(setting.begin);
      expect(error.code).toBe('way-back-failed');
      expect(error.message).toContain('The journal names no backup in the cluster');
      expect(setting.replicas()).toBe(0);
      expect(setting.journal()).not.toHaveProperty('outcome');
    });

    function expectTwelve({ image, state, replicas, journal }: Awaited<ReturnType<typeof live>>) {
      expect(image()).toBe(oldImage);
      expect(state.version).toBe('12.16');
      expect(replicas()).toBe(3);
      expect(journal()).toMatchObject({ outcome: 'reverted' });
    }
  });

  test.each(['server', 'databases', 'snapshotClass'])('does not begin without the fact %s', async (fact) => {
    const { begin, cluster } = await live();
    const error = await thrownBy(() => begin({ [fact]: unread('forbidden') }));
    expect(error.code).toBe('facts-missing');
    expect(cluster.writes).toEqual([]);
  });

  test('asks the API server for nothing that its table of permissions lacks', async () => {
    const { begin, cluster } = await live();
    await begin();
    expect(ungranted(cluster.calls, serverNames(await target()))).toEqual([]);
  });
});

function policyOf(cluster: FakeCluster, volume = ''): string | undefined {
  return cluster.peek('persistentvolumes', volume)?.spec?.persistentVolumeReclaimPolicy;
}
