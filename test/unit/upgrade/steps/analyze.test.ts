import { describe, expect, test } from '@jest/globals';
import { analyze, quickAnalyze } from '../../../../src/upgrade/steps/analyze.ts';
import { databaseState } from '../../fake-database.ts';
import { thrownBy } from '../../thrown.ts';
import { setUp, type Setting } from '../context.ts';

/** Where a pass was made, by what only its script has. */
function analyzed({ state }: Setting, script: RegExp): string[] {
  return state.statements.filter((s) => script.test(s)).map((s) => s.slice(0, s.indexOf(':')));
}

const quick = /default_statistics_target = 1/;
const full = /vacuum_cost_delay/;

/** A server on which each pass fails in one database. */
async function brokenCircle(): Promise<Setting> {
  const setting = await setUp();
  const answer = setting.cluster.onExec;
  setting.cluster.onExec = (command, stdin) =>
    stdin.includes('ANALYZE') && stdin.includes("dbname=''circle''")
      ? { exitCode: 3, stdout: '', stderr: 'ERROR:  invalid page in block 0\n' }
      : answer(command, stdin);
  return setting;
}

describe.each([
  ['the quick ANALYZE', quickAnalyze, quick, 'Estimated the statistics of 3 databases'],
  ['the full ANALYZE', analyze, full, 'Analyzed 3 databases'],
])('%s', (_what, step, script, line) => {
  test('is made in every database that accepts connections', async () => {
    const setting = await setUp();
    await step.run(setting.context);
    expect(analyzed(setting, script).sort()).toEqual(['circle', 'postgres', 'template1']);
    expect(setting.log.text).toContain(line);
  });

  test('that fails in one database is made in the others', async () => {
    const setting = await brokenCircle();
    await step.run(setting.context);
    expect(new Set(analyzed(setting, script))).toEqual(new Set(['postgres', 'template1']));
  });

  test('ends with an error when the run is cancelled, so that nobody takes it for done', async () => {
    const setting = await setUp();
    setting.cancelled.abort();
    expect((await thrownBy(() => step.run(setting.context))).code).toBe('cancelled');
    expect(setting.context.journal.noted.statistics).toBeUndefined();
  });
});

describe('the quick ANALYZE', () => {
  test('that fails is no warning, since the full one takes what is left', async () => {
    const { context, log } = await brokenCircle();
    await quickAnalyze.run(context);
    expect(context.results.warnings).toEqual([]);
    expect(log.text).toMatch(/Could not estimate the statistics of database circle: .*invalid page in block 0/);
  });
});

describe('the full ANALYZE', () => {
  test('is one session, so that it takes little from the applications', async () => {
    const { context, cluster, state } = await setUp();
    for (let database = 0; database < 20; database++) state.databases[`db${String(database)}`] = databaseState();
    cluster.calls.length = 0;
    await analyze.run(context);
    // One lists the databases.
    expect(cluster.calls.filter(({ method }) => method === 'exec')).toHaveLength(2);
  });

  test('that is done is noted, with the time', async () => {
    const { context } = await setUp();
    context.timeline.downtimeBegins();
    await analyze.run(context);
    expect(context.journal.noted.statistics).toBe('complete');
    expect(context.timeline.statisticsSeconds).toBe(0);
  });

  test.each<[string, (setting: Setting) => void, readonly string[]]>([
    [
      'a database that can not be analyzed',
      ({ state }) => (state.refuse = [{ statement: full, message: 'permission denied' }]),
      ['circle', 'postgres', 'template1'].map((name) => `analyze database ${name}: psql`),
    ],
    [
      'a table that is left without full statistics',
      ({ state }) => (state.databases['circle'] = databaseState({ notAnalyzed: ['public.builds', 'public.jobs'] })),
      ['analyze database circle: public.builds (lock timeout), public.jobs (lock timeout).'],
    ],
  ])('%s is a warning that names it, with the command', async (_what, breakIt, warnings) => {
    const setting = await setUp();
    setting.context.timeline.downtimeBegins();
    breakIt(setting);
    await analyze.run(setting.context);
    const told = setting.context.results.warnings;
    expect([...told].sort()).toEqual(warnings.map((text) => expect.stringContaining(text)));
    for (const warning of told) expect(warning).toContain('Run `ANALYZE;` in this database.');
    expect(setting.context.journal.noted.statistics).toBeUndefined();
    expect(setting.context.timeline.statisticsSeconds).toBeUndefined();
  });

  test('whose end can not be noted is done all the same', async () => {
    const { context, cluster, log } = await setUp();
    cluster.refuse('patch', 'configmaps', 403, 'no');
    await analyze.run(context);
    expect(context.results.warnings).toEqual([]);
    expect(log.text).toContain('Could not note that the statistics are complete');
  });
});
