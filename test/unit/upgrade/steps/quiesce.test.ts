import { describe, expect, test } from '@jest/globals';
import { jobName } from '../../../../src/objects/upgrade-job.ts';
import { sessionStart } from '../../../../src/text/remedy.ts';
import { journalName } from '../../../../src/objects/journal-name.ts';
import { quiesce } from '../../../../src/upgrade/steps/quiesce.ts';
import { oldImage, namespace } from '../../objects.ts';
import { commandsFor } from '../../../commands.ts';
import { thrownBy } from '../../thrown.ts';
import { setUp } from '../context.ts';
import { live } from '../live.ts';

const prepared = { kind: 'prepared transaction', gid: 'g1', database: 'vms', owner: 'vms' } as const;
const slot = { kind: 'replication slot', name: 'cdc', type: 'logical', database: 'circle', usedBy: null } as const;

describe('when the last client has gone', () => {
  test.each([
    [prepared, 'prepared transaction \'g1\' in database "vms", of vms', "ROLLBACK PREPARED 'g1'"],
    [slot, 'logical replication slot cdc in database "circle"', "pg_drop_replication_slot('cdc')"],
  ])('$kind that came since the checks stops it before anything is measured', async (obstacle, name, statement) => {
    const setting = await setUp();
    setting.state.obstacles = [obstacle];
    const error = await thrownBy(() => quiesce.run(setting.context));
    expect(error.code).toBe('upgrade-obstacle');
    expect(error.message).toContain(name);
    expect(error.remedy.text).toContain(statement);
    expect(setting.state.statements.filter((s) => s.includes('CHECKPOINT'))).toEqual([]);
  });

  test('it is asked after the clients, not before, and by the same program: a client may still make one', async () => {
    const setting = await setUp();
    await quiesce.run(setting.context);
    const [first = ''] = setting.state.statements;
    expect(first.indexOf('pg_stat_activity')).toBeGreaterThan(-1);
    expect(first.indexOf('pg_prepared_xacts')).toBeGreaterThan(first.indexOf('pg_stat_activity'));
    expect(setting.state.statements.filter((s) => s.includes('pg_prepared_xacts'))).toHaveLength(1);
  });

  test('background workers do not keep it waiting, and are named', async () => {
    const { context, state, log } = await setUp();
    state.workers = [
      { worker: 'pg_cron launcher', database: 'postgres' },
      { worker: 'launcher', database: '' },
    ];
    await quiesce.run(context);
    expect(log.text).toContain(
      'Background workers still run, and may write: pg_cron launcher (database postgres), launcher (no database of its own)',
    );
    expect(context.results.workers).toEqual(state.workers);
  });

  const open = ['circle', 'postgres', 'template1'];

  test.each([
    // Clients and users' code, measurement; and CHECKPOINT beside the latter.
    ['two', open, 3],
    // Users' code by itself.
    ['three', undefined, 4],
    ['three', ['circle'], 4],
    // One look more, since the session ends at a database that is no more.
    ['four', ['circle', 'dropped'], 5],
  ])('it takes %s programs in the pod one after the other where %p are known from before', async (_, known, execs) => {
    const { context, state, cluster } = await setUp(undefined, { jobs: '1' });
    if (known !== undefined) context.results.databases = known;
    state.refuse = [{ database: 'dropped', statement: /./, message: 'database "dropped" does not exist' }];
    await quiesce.run(context);
    expect(cluster.calls.filter(({ method }) => method === 'exec')).toHaveLength(execs);
    const asked = state.statements.filter((s) => s.includes("'restored-code'")).map((s) => s.replace(/:[^]*/, ''));
    expect([...new Set(asked)].sort()).toEqual(expect.arrayContaining(open));
    expect(state.statements.filter((s) => s.includes('pg_database_size'))).toEqual([]);
    expect(Object.keys(context.results.before?.databases ?? {}).sort()).toEqual(open);
  });

  test("users' code is not asked for while a client is left, and then by the look that sees none", async () => {
    const { context, state, cluster, clock } = await setUp(undefined, { jobs: '1' });
    context.results.databases = open;
    state.clients = [
      { pid: 42, database: 'circle', user: 'circle', application: 'worker', address: '10.0.0.9', state: 'idle' },
    ];
    clock.meanwhile = () => (state.clients = []);
    await quiesce.run(context);
    expect(cluster.calls.filter(({ method }) => method === 'exec')).toHaveLength(4);
  });

  const usersCode = {
    object: 'function public.adds(text)',
    detail: 'the initial value is checked by public.accepts(text) of role mallory',
    remedy: 'ALTER DOMAIN public.accepted DROP CONSTRAINT accepted_check;',
  };

  test.each([
    ['in the look', open],
    ['by itself', undefined],
  ])(
    "a user's object that a restore would run as the superuser stops it before anything is measured, asked for %s",
    async (_where, known) => {
      const { context, state } = await setUp();
      if (known !== undefined) context.results.databases = known;
      state.hazards = (database, hazard) => (database === 'circle' && hazard === 'restored-code' ? [usersCode] : []);
      const error = await thrownBy(() => quiesce.run(context));
      expect(error.code).toBe('upgrade-obstacle');
      expect(error.message).toBe(
        `The action ran the check restored-code again before stopping PostgreSQL, and its finding is failed: circle: ${usersCode.object}: ${usersCode.detail}.`,
      );
      expect(error.remedy.commands).toEqual([
        { in: 'psql', lines: ['\\connect circle', sessionStart, usersCode.remedy] },
      ]);
      const script = state.statements.join('\n');
      const asked = (what: string) => script.indexOf(what);
      expect(asked('restored-code')).toBeGreaterThan(asked('pg_stat_activity'));
      expect([asked("'last_value'"), asked('CHECKPOINT')]).toEqual([-1, -1]);
    },
  );

  test.each([
    ['in the look', open],
    ['by itself', undefined],
  ])('a database that can not be asked for such objects %s is not passed over', async (_where, known) => {
    const { context, state } = await setUp();
    if (known !== undefined) context.results.databases = known;
    state.refuse = [{ statement: /'index-functions'/, message: 'out of memory' }];
    const error = await thrownBy(() => quiesce.run(context));
    expect(error.code).toBe('upgrade-obstacle');
    expect(error.message).toContain(
      'The action ran the check restored-code again before stopping PostgreSQL, and its finding is unknown: ',
    );
    expect(error.message).toContain('out of memory');
  });

  test('what a person has answered for by ignore-checks is not asked again', async () => {
    const { context, state } = await setUp(undefined, {
      'ignore-checks': 'restored-code: these functions are our own',
    });
    state.hazards = (_database, hazard) => (hazard === 'restored-code' ? [usersCode] : []);
    await quiesce.run(context);
    expect(state.statements.some((s) => s.includes("'index-functions'"))).toBe(true);
    expect(state.statements.some((s) => s.includes("'restored-code'"))).toBe(false);
  });

  test('an upgrade that finds such an object reverts, and makes no Job', async () => {
    const { begin, state, cluster, image, replicas } = await live();
    state.hazards = (_database, hazard) => (hazard === 'restored-code' ? [usersCode] : []);
    const error = await thrownBy(begin);
    expect(error.code).toBe('reverted');
    expect(error.message).toContain(usersCode.detail);
    expect(commandsFor('psql', error.remedy)).toContain(usersCode.remedy);
    expect(image()).toBe(oldImage);
    expect(replicas()).toBe(3);
    expect(
      cluster.calls.filter(
        ({ method, resource, name }) => method === 'create' && resource === 'jobs' && name === jobName,
      ),
    ).toEqual([]);
    expect(cluster.peek('statefulsets', 'postgresql', namespace)?.spec?.replicas).toBe(1);
  });

  test('the sort order is noted before the measurement, after which another run measures nothing again', async () => {
    const { context, cluster } = await setUp();
    await quiesce.run(context);
    const notes = cluster
      .patchesOf('configmaps', journalName)
      .flat()
      .map(({ path }) => path);
    expect(notes.indexOf('/data/sortOrders')).toBeGreaterThan(-1);
    expect(notes.indexOf('/data/measured')).toBeGreaterThan(notes.indexOf('/data/sortOrders'));
  });

  test('an upgrade that finds one goes back: PostgreSQL was never stopped, the applications are back', async () => {
    const { begin, state, cluster, image, replicas } = await live();
    state.obstacles = [prepared];
    const error = await thrownBy(begin);
    expect(error.code).toBe('reverted');
    expect(error.message).toContain("prepared transaction 'g1'");
    expect(error.remedy.text).toContain("ROLLBACK PREPARED 'g1'");
    expect(image()).toBe(oldImage);
    expect(replicas()).toBe(3);
    const scaled = cluster
      .patchesOf('statefulsets', 'postgresql')
      .flat()
      .filter((o) => 'value' in o && o.value === 0);
    expect(scaled).toEqual([]);
    expect(cluster.peek('statefulsets', 'postgresql', namespace)?.spec?.replicas).toBe(1);
  });
});

describe('undone', () => {
  async function measured(rows: string) {
    const setting = await setUp();
    await quiesce.run(setting.context);
    setting.state.databases['circle']?.relations.splice(0, 1, ['public.builds', 'rows', rows]);
    return setting;
  }

  test('it holds PostgreSQL 12 to what was measured, where PostgreSQL 14 has served', async () => {
    const { context, log } = await measured('41');
    await context.journal.note('served', 'link');
    await quiesce.undo?.(context);
    expect(context.results.warnings.join()).toContain('PostgreSQL 12 differs from the measurement before the upgrade');
    expect(context.results.warnings.join()).toContain('public.builds');
    expect(log.text).not.toContain('the data that was measured');
  });

  test('it says so where all is as it was', async () => {
    const { context, log } = await measured('42');
    await context.journal.note('served', 'link');
    await quiesce.undo?.(context);
    expect(context.results.warnings).toEqual([]);
    expect(log.text).toContain('has the data that was measured before the upgrade');
  });

  test('it compares nothing where PostgreSQL 14 has not served: the files are the same ones', async () => {
    const { context, state, log } = await measured('41');
    const asked = state.statements.length;
    await quiesce.undo?.(context);
    expect([context.results.warnings, state.statements.length]).toEqual([[], asked]);
    // An empty group of the log would look as if something was forgotten.
    expect(log.text).toContain(
      'Nothing to compare: PostgreSQL 12 has its own files, which PostgreSQL 14 did not serve',
    );
  });

  test('it says so where nothing was measured', async () => {
    const { context, log } = await setUp();
    await quiesce.undo?.(context);
    expect(log.text).toContain('Nothing to compare: the data was not measured');
  });
});
