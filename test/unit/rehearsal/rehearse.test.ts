import { describe, expect, jest, test } from '@jest/globals';
import { isRunError } from '../../../src/common/errors.ts';
import { serverNames } from '../../../src/target/server-names.ts';
import { choiceUpTo } from '../../choice.ts';
import { ungranted } from '../../granted.ts';
import { namespace } from '../objects.ts';
import { thrownBy } from '../thrown.ts';
import { dyingAt, Killed } from '../upgrade/dying-cluster.ts';
import { ending } from '../upgrade/job-controller.ts';
import { bootJob, left, movedImages, podOf12, podOf14, production, scene, upgradeJob, type Scene } from './scene.ts';

// Each kill is two rehearsals.
jest.setTimeout(180_000);

/** Calls at which `npm test` kills a run. */
const kills = 40;

const statuses = (findings: Awaited<ReturnType<Scene['run']>>) =>
  Object.fromEntries(findings.map(({ id, status }) => [id, status]));

const allPassed = {
  'rehearsal-isolation': 'passed',
  'rehearsal-copy': 'passed',
  'rehearsal-recovery': 'passed',
  'rehearsal-measurement': 'passed',
  'rehearsal-upgrade': 'passed',
  'rehearsal-start': 'passed',
  'rehearsal-data': 'passed',
  'rehearsal-extensions': 'passed',
  'rehearsal-statistics': 'passed',
  'rehearsal-sort-order': 'passed',
  'rehearsal-pages': 'passed',
  'rehearsal-removal': 'passed',
};

describe('a rehearsal', () => {
  test.each([[{ kind: 'snapshot', className: 'csi-class' } as const], [{ kind: 'clone' } as const]])(
    'by %j does the whole upgrade on a copy, and leaves production as it was and nothing of its own',
    async (copying) => {
      const setting = await scene({}, copying);
      const before = production(setting);
      expect(statuses(await setting.run())).toEqual(allPassed);
      expect(left(setting)).toEqual([]);
      expect(production(setting)).toEqual(before);
    },
  );

  test('uses no right that the table does not have', async () => {
    const { cluster, run, context } = await scene();
    await run();
    expect(ungranted(cluster.calls, serverNames(context.target))).toEqual([]);
  });

  test.each([
    [{ kind: 'snapshot', className: 'csi-class' } as const, 1],
    [{ kind: 'clone' } as const, 0],
  ])(
    'by %j asks nothing of the running server but the mark in its WAL: its sessions are on the copy',
    async (copying, marks) => {
      const { cluster, run, state, context } = await scene({}, copying);
      await run();
      const pods = cluster.calls.filter(({ method }) => method === 'exec').map(({ name }) => name);
      const { podName } = context.target;
      expect([...new Set(pods)].sort()).toEqual([podOf12, podOf14, ...(marks === 0 ? [] : [podName])].sort());
      expect(pods.filter((name) => name === podName)).toHaveLength(marks);
      expect(state.statements.filter((one) => one.includes('pg_switch_wal'))).toHaveLength(marks);
    },
  );

  test('mounts the copy, never the volume of the server', async () => {
    const { cluster, run, context } = await scene();
    await run();
    const made = JSON.stringify(cluster.calls.filter(({ method }) => method === 'create').map(({ body }) => body));
    expect(made).toContain(`"claimName":"${context.target.volume.claimName}-rehearsal"`);
    expect(made).not.toContain(`"claimName":"${context.target.volume.claimName}"`);
  });
});

describe('what goes wrong is a finding', () => {
  test('of a copy on which PostgreSQL 12 does not start', async () => {
    const setting = await scene({ [bootJob]: ending(10, { step: 'Starting PostgreSQL 12', message: 'invalid page' }) });
    const findings = await setting.run();
    expect(statuses(findings)).toMatchObject({ 'rehearsal-recovery': 'failed', 'rehearsal-upgrade': 'unknown' });
    expect(findings.find(({ id }) => id === 'rehearsal-recovery')?.evidence).toEqual([
      'Starting PostgreSQL 12: invalid page',
    ]);
    expect(left(setting)).toEqual([]);
  });

  test('of a free volume that Kubernetes gave the claim: it stays, and is not upgraded', async () => {
    const setting = await scene();
    const name = 'data-postgresql-0-rehearsal';
    const [older, younger] = [new Date(Date.UTC(2020, 0, 1)), new Date(Date.UTC(2026, 0, 1))];
    setting.cluster.put('persistentvolumes', {
      metadata: { name: 'kept-for-years', creationTimestamp: older },
      spec: { persistentVolumeReclaimPolicy: 'Delete', claimRef: { name, namespace } },
    });
    setting.cluster.hooks.push(() => {
      const claim = setting.cluster.look('persistentvolumeclaims', name, namespace);
      if (claim !== undefined && claim.metadata?.creationTimestamp === undefined)
        setting.cluster.put('persistentvolumeclaims', {
          ...claim,
          metadata: { ...claim.metadata, creationTimestamp: younger },
        });
    });
    const findings = await setting.run();
    expect(statuses(findings)).toMatchObject({ 'rehearsal-recovery': 'failed', 'rehearsal-upgrade': 'unknown' });
    expect(findings.find(({ status }) => status === 'failed')?.evidence[0]).toContain('kept-for-years');
    const volume = setting.cluster.peek('persistentvolumes', 'kept-for-years');
    expect(volume?.spec?.persistentVolumeReclaimPolicy).toBe('Retain');
    expect(setting.cluster.peek('persistentvolumeclaims', name, namespace)).toBeUndefined();
    expect(setting.cluster.calls.some((call) => call.method === 'create' && call.name === upgradeJob)).toBe(false);
  });

  test('of pg_upgrade, with what it says', async () => {
    const setting = await scene({
      [upgradeJob]: ending(10, { message: 'could not load library "$libdir/postgis-2.5"' }),
    });
    const findings = await setting.run();
    expect(findings.find(({ status }) => status === 'failed')).toMatchObject({
      id: 'rehearsal-upgrade',
      evidence: ['Run pg_upgrade: could not load library "$libdir/postgis-2.5"'],
    });
    expect(findings.find(({ id }) => id === 'rehearsal-data')).toMatchObject({
      status: 'unknown',
      evidence: [expect.stringContaining('pg_upgrade')],
    });
    expect(left(setting)).toEqual([]);
  });

  test('of a server that does not start on the copy', async () => {
    const setting = await scene();
    // On the empty directory it does.
    setting.cluster.hooks.push(() => {
      if (setting.cluster.look('jobs', upgradeJob, namespace) !== undefined)
        setting.states[podOf14] = { terminated: { exitCode: 1, reason: 'Error' } };
    });
    setting.cluster.onLog = () => '2026-01-02T03:04:05Z FATAL:  could not access file "pgaudit"\n';
    const findings = await setting.run();
    expect(findings.find(({ status }) => status === 'failed')).toMatchObject({
      id: 'rehearsal-start',
      evidence: ['it ended with exit code 1', 'FATAL:  could not access file "pgaudit"'],
    });
  });

  test('of a configuration, but not of what its own flags overrule', async () => {
    const setting = await scene();
    const [ours, theirs] = ['listen_addresses', 'wal_keep_segments'].map(
      (name) => `/conf/postgresql.conf line 7: ${name}: setting could not be applied`,
    );
    Object.assign(setting.settings[podOf14] ?? {}, { errors: [ours, theirs] });
    const found = (await setting.run()).find(({ id }) => id === 'rehearsal-start');
    expect(found).toMatchObject({ status: 'warning', evidence: ['PostgreSQL 14.22 answers on the copy', theirs] });
  });

  test.each([
    ['upgrade', 'rehearsal-recovery'],
    ['serving', 'rehearsal-start'],
  ] as const)('of another image than the checks saw, on the node of the copy: %s', async (image, id) => {
    const setting = await scene();
    setting.images[image] = movedImages[image];
    const found = (await setting.run()).find(({ status }) => status === 'failed');
    expect(found?.id).toBe(id);
    expect(found?.evidence[0]).toContain(movedImages[image]);
  });

  test('of data that differs', async () => {
    const setting = await scene();
    setting.cluster.hooks.push((call) => {
      const rows = call.name === podOf14 ? '41' : '42';
      if (call.method === 'exec')
        setting.state.databases['circle']?.relations.splice(0, 1, ['public.builds', 'rows', rows]);
    });
    expect(statuses(await setting.run())).toMatchObject({ 'rehearsal-data': 'failed', 'rehearsal-pages': 'unknown' });
  });

  test('of an extension that can not be updated, with what the upgrade will say', async () => {
    const setting = await scene();
    const of = {
      extensions: { plpgsql: '1.0', hstore: '1.6', citext: '1.5' },
      available: { hstore: '1.8', citext: '1.6' },
    };
    Object.assign(setting.state.databases['circle'] ?? {}, of);
    setting.state.refuse = [{ statement: /citext/, message: 'permission denied' }];
    const found = (await setting.run()).find(({ id }) => id === 'rehearsal-extensions');
    expect(found).toMatchObject({
      status: 'warning',
      evidence: [
        'circle: updated extension hstore from 1.6 to 1.8',
        'circle: extension citext stays at version 1.5: permission denied',
      ],
    });
  });

  test('of text that sorts differently, with the time of the rebuild', async () => {
    const setting = await scene();
    const order = { collation: 'default', provider: 'libc', collate: 'en_US.UTF-8', ctype: 'en_US.UTF-8' } as const;
    setting.cluster.hooks.push((call) => {
      if (call.method !== 'exec') return;
      const digest = call.name === podOf14 ? 'b' : 'a';
      Object.assign(setting.state.databases['circle'] ?? {}, {
        sortOrders: [{ ...order, indexes: 1, bytes: 8192, digest }],
      });
    });
    expect((await setting.run()).find(({ id }) => id === 'rehearsal-sort-order')).toMatchObject({
      status: 'warning',
      evidence: [expect.stringContaining('circle: default sort differently. The rebuild of 1 indexes took')],
    });
  });

  test.each([
    [{ listens: '*' }, 'listen_addresses is *'],
    [{ archives: 'on' }, 'archive_mode is on'],
    [{ workers: '8' }, 'max_worker_processes is 8'],
  ])('of an image that ignores its flags, before there is a copy: %j', async (ignored, line) => {
    const setting = await scene();
    Object.assign(setting.settings[podOf12] ?? {}, ignored, { age: 61 });
    const findings = await setting.run();
    expect(findings[0]).toMatchObject({ status: 'failed', evidence: [`PostgreSQL 12 on an empty directory: ${line}`] });
    expect(setting.cluster.writes.filter((write) => /jobs|claims|snapshots/.test(write))).toEqual([]);
    expect(left(setting)).toEqual([]);
  });

  test('but not of the server that an image starts for its set-up, without the flags', async () => {
    const setting = await scene();
    const own = setting.settings[podOf12];
    Object.assign(own ?? {}, { listens: '*', age: 30 });
    let asked = 0;
    setting.cluster.hooks.push(({ method, name }) => {
      if (method === 'exec' && name === podOf12 && ++asked === 5) Object.assign(own ?? {}, { listens: '', age: 4 });
    });
    expect(statuses(await setting.run())).toEqual(allPassed);
  });

  test('that is unknown, where the API server refuses what it needs', async () => {
    const setting = await scene();
    setting.cluster.refuse('create', 'volumesnapshots', 403, 'quota');
    const findings = await setting.run();
    expect(statuses(findings)).toMatchObject({ 'rehearsal-copy': 'unknown', 'rehearsal-data': 'unknown' });
    expect(left(setting)).toEqual([]);
  });
});

describe('what has the name of something of a rehearsal', () => {
  test('and was not made by one is left as it is: the rehearsal does not begin', async () => {
    const setting = await scene();
    const name = 'data-postgresql-0-rehearsal';
    setting.cluster.put('persistentvolumeclaims', { metadata: { name, namespace }, spec: {} });
    const error = await thrownBy(() => setting.run());
    expect([error.code, error.message]).toEqual(['rehearsal-foreign', expect.stringContaining(name)]);
    expect(setting.cluster.peek('persistentvolumeclaims', name, namespace)).toBeDefined();
    expect(setting.cluster.writes).toEqual([]);
  });
});

describe('a rehearsal that is killed', () => {
  test.each([
    ['before', false],
    ['after', true],
  ])('%s the effect of any of its calls leaves nothing that the next one does not remove', async (_when, hasEffect) => {
    const whole = await scene();
    const { cluster, count } = dyingAt(whole.cluster, Infinity, true);
    await whole.run(cluster);
    const calls = count();
    expect(calls).toBeGreaterThan(60);
    for (const last of choiceUpTo(calls, kills)) {
      const setting = await scene();
      const before = production(setting);
      await setting.run(dyingAt(setting.cluster, last, hasEffect).cluster).catch((error: unknown) => {
        if (!(error instanceof Killed) && !(isRunError(error) && error.message.includes('killed'))) throw error;
      });
      const killedAt = JSON.stringify(setting.cluster.calls.at(-1) ?? 'no call').slice(0, 200);
      try {
        expect(statuses(await setting.run())).toEqual(allPassed);
        expect(left(setting)).toEqual([]);
        expect(production(setting)).toEqual(before);
      } catch (error) {
        throw new Error(`killed at call ${String(last)} of ${String(calls)}, after ${killedAt}`, { cause: error });
      }
    }
  });
});
