import { describe, expect, test } from '@jest/globals';
import { jobName } from '../../../src/job/manifest.ts';
import { namespace, newImage, oldImage } from '../objects.ts';
import { unread } from '../prechecks/facts.ts';
import { permissionName, permissionsFor } from '../../../src/target/permissions.ts';
import { resources } from '../../../src/ports/cluster.ts';
import { thrownBy } from '../thrown.ts';
import { ending, revertName } from './job-controller.ts';
import { live } from './live.ts';

describe('an upgrade', () => {
  test('goes from 12 to 14 and brings everything back', async () => {
    const { begin, image, journal, replicas, cluster } = await live();
    const results = await begin();
    expect(results).toMatchObject({ jobRun: { phase: 'ended' }, warnings: [] });
    expect(image()).toBe(newImage);
    expect(replicas()).toBe(3);
    expect(journal()).toMatchObject({ outcome: 'upgraded', snapshot: results.snapshot });
    expect(cluster.peek('statefulsets', 'postgresql', namespace)?.spec?.template.spec).not.toHaveProperty(
      'schedulingGates',
    );
  });

  test('takes its snapshot only of a stopped server, and runs the Job only after it', async () => {
    const { begin, cluster } = await live();
    await begin();
    const order = [
      'patch deployments/frontend',
      'patch statefulsets/postgresql',
      expect.stringMatching(/^create volumesnapshots\//),
      `create jobs/${jobName}`,
      'patch statefulsets/postgresql',
      'patch deployments/frontend',
    ];
    const seen = cluster.writes.filter((w) => !/configmaps|insights|nightly|paused/.test(w));
    expect(seen).toEqual(order);
  });

  test('brings the applications back only after the statistics are there', async () => {
    const { begin, state, replicas } = await live();
    const stopped: (number | undefined)[] = [];
    const push = state.statements.push.bind(state.statements);
    state.statements.push = (...statements) => {
      if (statements.some((s) => s.includes(': ANALYZE;'))) stopped.push(replicas());
      return push(...statements);
    };
    await begin();
    expect(stopped).toEqual([0, 0, 0]);
  });

  test('whose Job fails ends with 12 and with the applications as they were', async () => {
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

  test('whose data differs keeps the applications stopped, and 14 up to be looked at', async () => {
    const { begin, state, replicas, journal, image } = await live({ [jobName]: ending(0) });
    let measured = 0;
    const push = state.statements.push.bind(state.statements);
    state.statements.push = (...statements) => {
      // Between the two measurements a row is lost.
      if (statements.some((s) => s.startsWith('circle:') && s.includes('gexec')) && ++measured === 2)
        state.databases['circle']?.relations.splice(0, 1, ['public.builds', 'rows', '41']);
      return push(...statements);
    };
    const error = await thrownBy(begin);
    expect(error.code).toBe('data-differs');
    expect(error.message).toContain('public.builds: 42 rows before, 41 rows after');
    expect(error.message).toContain('the applications are still stopped');
    expect(error.remedy).toContain('snapshot');
    expect(replicas()).toBe(0);
    expect(image()).toBe(newImage);
    expect(journal()).not.toHaveProperty('outcome');
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
    const verbs = {
      find: 'get',
      list: 'list',
      create: 'create',
      patch: 'patch',
      delete: 'delete',
      podLog: 'get',
      exec: 'create',
    };
    const asked = cluster.calls.flatMap(({ method, resource }) => {
      if (method === 'version') return [];
      const subresource = { podLog: '/log', exec: '/exec' }[method as string] ?? '';
      const { group } = resources[resource];
      return [`${verbs[method]} ${resource}${group === '' ? '' : `.${group}`}${subresource}`];
    });
    expect(permissionsFor('upgrade').map(permissionName)).toEqual(expect.arrayContaining([...new Set(asked)]));
  });
});
