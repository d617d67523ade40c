import { describe, expect, test } from '@jest/globals';
import { measure } from '../../../../src/database/measurement.ts';
import { updateExtensions } from '../../../../src/upgrade/steps/extensions.ts';
import { verify } from '../../../../src/upgrade/steps/verify.ts';
import { databaseState } from '../../fake-database.ts';
import { thrownBy } from '../../thrown.ts';
import { setUp } from '../context.ts';

describe('verify', () => {
  test('data that is the same passes', async () => {
    const { context, log } = await setUp();
    context.results.before = (await measure(context.database, 2, 1000)).fingerprint;
    await verify.run(context);
    expect(log.text).toContain('The data is as measured before the upgrade: 3 databases, 1 ');
    expect(context.results.comparison).toMatch(
      /: 3 databases, .*\. 1 tables .* have the same files as before, by their inodes$/,
    );
  });

  test('data that is not ends it, and names the relation', async () => {
    const { context, state } = await setUp();
    context.results.before = (await measure(context.database, 2, 1000)).fingerprint;
    state.databases['circle'] = databaseState({ relations: [['public.builds', 'rows', '41']] });
    const error = await thrownBy(() => verify.run(context));
    expect(error.code).toBe('data-differs');
    expect(error.message).toContain('circle: public.builds: 42 rows before, 41 rows after');
    expect(error.remedy.text).toContain('a client that writes');
  });

  test.each([
    [
      'in a database with a background worker is told from what a client writes',
      ['circle'],
      /^Find out why .* Background workers run where it differs: bgw \(database circle\)\..*background-workers\.$/,
    ],
    ['beside a launcher, too', [''], /Background workers run where it differs: bgw \(no database of its own\)/],
    [
      'in another database is not',
      ['postgres'],
      /a client that writes .* in other databases: bgw \(database postgres\)\. A scheduler such as pg_cron also writes where it differs: pause it/,
    ],
  ])('what differs %s', async (_what, databases, remedy) => {
    const { context, state } = await setUp();
    context.results.before = (await measure(context.database, 2, 1000)).fingerprint;
    state.databases['circle'] = databaseState({ relations: [['public.builds', 'rows', '43']] });
    const workers = databases.map((database) => ({ worker: 'bgw', database }));
    context.results.workers = workers;
    expect((await thrownBy(() => verify.run(context))).remedy.text).toMatch(remedy);
    // A run that resumes the upgrade has not seen those of PostgreSQL 12.
    delete context.results.workers;
    state.workers = workers;
    expect((await thrownBy(() => verify.run(context))).remedy.text).toMatch(remedy);
    state.refuse = [{ statement: /'worker'/, message: 'no' }];
    expect((await thrownBy(() => verify.run(context))).remedy.text).toContain('a client that writes');
  });

  test('takes one program in the pod with the update of extensions, beside the list of files', async () => {
    const { context, cluster, state } = await setUp(undefined, { jobs: '1' });
    context.results.before = (await measure(context.database, 1, 1000)).fingerprint;
    cluster.calls.length = 0;
    const execs = () => cluster.calls.filter(({ method }) => method === 'exec');
    await verify.run(context);
    await updateExtensions.run(context);
    expect(execs()).toHaveLength(2);
    // Where there is something to update, one more.
    state.databases['circle'] = databaseState({
      relations: [['public.builds', 'rows', '42']],
      extensions: { plpgsql: '1.0', citext: '1.5' },
      available: { citext: '1.6' },
    });
    await verify.run(context);
    await updateExtensions.run(context);
    expect(execs()).toHaveLength(5);
    expect(state.databases['circle'].extensions['citext']).toBe('1.6');
    expect(context.results.warnings).toEqual([]);
  });

  test('whose sessions could not tell what is outdated leaves that to the update, which asks once more', async () => {
    const { context, state, cluster } = await setUp(undefined, { jobs: '1' });
    context.results.before = (await measure(context.database, 1, 1000)).fingerprint;
    const answer = cluster.onExec;
    cluster.onExec = (command, stdin) => {
      const result = answer(command, stdin);
      const failed = '{"question":"outdated-extensions","error":"could not open extension control file"}';
      return {
        ...result,
        stdout: result.stdout.replaceAll('{"question":"outdated-extensions","answered":true}', failed),
      };
    };
    await verify.run(context);
    expect(context.results.validated).toBe(true);
    expect(context.results.outdated).toBeUndefined();
    state.refuse = [{ statement: /pg_available_extensions/, message: 'could not open extension control file' }];
    expect((await thrownBy(() => updateExtensions.run(context))).message).toContain('could not open extension control');
  });

  test('a database more ends it, and one that is missing is no error of psql', async () => {
    const { context, state } = await setUp();
    context.results.before = (await measure(context.database, 2, 1000)).fingerprint;
    state.databases['other'] = databaseState();
    expect((await thrownBy(() => verify.run(context))).message).toContain('database "other" did not exist before');
    delete state.databases['other'];
    delete state.databases['circle'];
    state.refuse = [{ database: 'circle', statement: /gexec/, message: 'database "circle" does not exist' }];
    expect((await thrownBy(() => verify.run(context))).message).toContain('database "circle" is missing');
  });

  test('an empty server ends it', async () => {
    const { context, state } = await setUp();
    context.results.before = (await measure(context.database, 2, 1000)).fingerprint;
    delete state.databases['circle'];
    expect((await thrownBy(() => verify.run(context))).message).toContain('database "circle" is missing');
  });

  test('a table with the file of another one ends it, though its rows are as many', async () => {
    const { context, state } = await setUp();
    state.databases['circle'] = databaseState({
      relations: ['builds', 'jobs'].map((table) => [`public.${table}`, 'rows', '42']),
    });
    context.results.before = (await measure(context.database, 2, 1000)).fingerprint;
    const others: Record<string, string> = { 'base/16387/20000': '101', 'base/16387/20001': '100' };
    state.listed = (lines) =>
      lines.map((line) => {
        const [, path = ''] = /^14 .* (\S+)$/.exec(line) ?? [];
        return others[path] === undefined ? line : `14 2049:${others[path]} 8192 ${path}`;
      });
    const error = await thrownBy(() => verify.run(context));
    expect(error.code).toBe('data-differs');
    expect(error.message).toContain('circle: public.builds: another file base/16387/20000, which was base/16387/20000');
    expect(error.message).toContain('circle: public.jobs: another file');
  });

  test.each([
    ['link', ['transfer link'], 1, 'of the same size as before, with the same first and last page'],
    ['copy', ['transfer copy'], 0, 'of the same size as before, with the same first and last page'],
    ['link', undefined, 0, 'have the same files as before, by their inodes'],
  ])('says how it compared files that were transferred by %s', async (_transfer, listed, warnings, said) => {
    const { context, state, log } = await setUp();
    context.results.before = (await measure(context.database, 2, 1000)).fingerprint;
    if (listed !== undefined) state.listed = () => listed;
    await verify.run(context);
    expect(log.text).toContain(said);
    expect(state.statements.some((s) => s.includes('pg_read_binary_file'))).toBe(listed !== undefined);
    expect(context.results.warnings).toHaveLength(warnings);
  });

  test('a measurement without files is compared by rows and sizes, and says so', async () => {
    const { context, log } = await setUp();
    const { databases } = (await measure(context.database, 2, 1000)).fingerprint;
    const older = Object.entries(databases).map(
      ([name, { relations, extensions }]) => [name, { relations, extensions }] as const,
    );
    context.results.before = { databases: Object.fromEntries(older) };
    await verify.run(context);
    expect(log.text).toContain('The measurement before the upgrade has no files');
  });

  test('what was never measured is never the same', async () => {
    const { context } = await setUp();
    expect((await thrownBy(() => verify.run(context))).code).toBe('not-measured');
  });
});
