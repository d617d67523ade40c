import { describe, expect, test } from '@jest/globals';
import {
  isRestoreTested,
  parseRestoreTest,
  restoreTestLabels,
  restoreTestPod,
} from '../../../src/probes/restore-test.ts';
import { jobSettings } from '../../../src/objects/job-settings.ts';
import { inputs, target } from '../objects.ts';
import { databaseFacts, databases, server } from '../prechecks/facts.ts';

const log = [
  'cpus\t8',
  'entry\t0\tnothing that was asked for',
  'took\t0\t20\t30',
  'took\t2\t1250\t500',
  'entry\t1\tTOC entry 203; 1259 16395 VIEW of two words boss',
  'error\t1\terror: could not execute query: ERROR:  syntax error at or near ")"',
  'statement\t1\tCREATE VIEW "public"."of two words" AS',
  'statement\t1\t SELECT 1 !',
  'entry\t1\tTOC entry 204; 1259 16396 INDEX i boss',
  'error\t1\terror: could not execute query: ERROR:  function f(integer) does not exist',
  'detail\t1\tCONTEXT:  SQL function "g" during inlining',
  'more\t1\t7',
  'server\t1\tserver process was terminated by signal 11: Segmentation fault',
  'took\t1\t70\t80',
  'skipped\t3\ttoo many locks',
  'dump\t4\tpg_dump: error: query failed: ERROR:  cache lookup failed',
  'dump\t4\tpg_dump ended with 1',
  'end',
];
const names = ['circle', 'template1', 'large', 'broken', 'never reached'];

const scripts = { script: 'script', confine: 'filter', literals: 'rule' };

async function pod(of = server, labels: Record<string, string> = {}) {
  const found = await target();
  const running = { ...found, pod: { ...found.pod, status: { podIP: '10.1.2.3' } } };
  const settings = { ...jobSettings(inputs(), server, databases), runId: 'x' };
  return restoreTestPod(running, settings, of, 'postgres', names, scripts, labels, 600_000);
}

test('its labels let it through a NetworkPolicy, and never replace those of the action', async () => {
  const { metadata } = await pod(server, { layer: 'application', 'postgresql-upgrade/probe': 'another' });
  expect(metadata?.labels).toMatchObject({ layer: 'application', 'postgresql-upgrade/probe': 'restore-test' });
});

test.each([
  [120019, false],
  [120020, true],
])('a dump of the server %d keeps off rows of views: %j', async (versionNumber, isRestricted) => {
  const [dump] = (await pod({ ...server, versionNumber })).spec?.initContainers ?? [];
  const options = dump?.env?.find(({ name }) => name === 'SESSION_OPTIONS')?.value;
  expect(options?.includes('-c restrict_nonsystem_relation_kind=view,foreign-table')).toBe(isRestricted);
});

describe('the log of a restore test', () => {
  test('has the results of the roles and of each database', () => {
    const nothing = { skipped: undefined, dump: [], failures: [], more: 0, server: [], seconds: undefined };
    expect(parseRestoreTest('image:1', names, log.join('\n'))).toEqual({
      image: 'image:1',
      unreachable: undefined,
      broken: undefined,
      network: undefined,
      cpus: 8,
      places: [
        { ...nothing, database: undefined, seconds: { dump: 0.02, restore: 0.03 } },
        {
          ...nothing,
          database: 'circle',
          failures: [
            {
              object: 'VIEW of two words',
              message: 'ERROR:  syntax error at or near ")"',
              details: [],
              statement: 'CREATE VIEW "public"."of two words" AS SELECT 1 !',
            },
            {
              object: 'INDEX i',
              message: 'ERROR:  function f(integer) does not exist',
              details: ['CONTEXT:  SQL function "g" during inlining'],
              statement: '',
            },
          ],
          more: 7,
          server: ['server process was terminated by signal 11: Segmentation fault'],
          seconds: { dump: 0.07, restore: 0.08 },
        },
        { ...nothing, database: 'template1', seconds: { dump: 1.25, restore: 0.5 } },
        { ...nothing, database: 'large', skipped: 'too many locks' },
        {
          ...nothing,
          database: 'broken',
          dump: ['pg_dump: error: query failed: ERROR:  cache lookup failed', 'pg_dump ended with 1'],
        },
        { ...nothing, database: 'never reached' },
      ],
    });
  });

  test.each(log.map((_, index) => index))('cut after %i lines says nothing', (lines) => {
    expect(parseRestoreTest('image:1', names, log.slice(0, lines).join('\n'))).toBeUndefined();
  });

  test.each([
    ['broken', 'initdb: error: no'],
    ['unreachable', 'connection to server at "10.1.2.3", port 5432 failed: timeout expired'],
    ['network', 'PR_SET_SECCOMP: Invalid argument'],
  ])('of one that says %s says why', (fact, why) => {
    expect(parseRestoreTest('image:1', [], `${fact}\t${why}\t\nend\n`)).toMatchObject({ [fact]: why });
  });

  test.each([
    'took\t1\t1e9\t5',
    'took\t1\t5',
    'took\t1\t-5\tNaN',
    'more\t1\tInfinity',
    'took\t1\t99999999999999999999\t1',
  ])('with %j, which code of the restore may have written, has no such number', (line) => {
    expect(parseRestoreTest('image:1', ['circle'], `${line}\nend\n`)?.places[1]).toMatchObject({
      seconds: undefined,
      more: 0,
    });
  });
});

describe('the pod of a restore test', () => {
  test('has no volume of the server, an end of its own, and the resources of the Job', async () => {
    const { spec, metadata } = await pod();
    expect(spec?.volumes?.map((v) => [v.name, Object.keys(v)[1]])).toEqual([
      ['dumps', 'emptyDir'],
      ['tmp', 'emptyDir'],
      ['passwd', 'downwardAPI'],
    ]);
    expect(spec?.volumes?.slice(0, 2).map((v) => v.emptyDir)).toEqual([{ sizeLimit: '2Gi' }, { sizeLimit: '4Gi' }]);
    expect(spec?.activeDeadlineSeconds).toBe(600);
    for (const container of [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])])
      expect(container.resources).toEqual(inputs().resources);
    expect(metadata?.labels).toEqual(restoreTestLabels);
    expect(metadata?.generateName).toBe('postgres-upgrade-probe-restore-test-');
  });

  test('dumps with the password, which the kubelet takes from the Secret, in a container that ends first', async () => {
    const found = await target();
    const { initContainers = [] } = (await pod()).spec ?? {};
    expect(initContainers.map(({ name, command }) => [name, command?.at(-1)])).toEqual([['dump', 'dump']]);
    const env = initContainers[0]?.env ?? [];
    expect(env.filter((e) => e.valueFrom !== undefined)).toEqual([
      { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: found.secret.name, key: found.secret.key } } },
    ]);
    expect(Object.fromEntries(env.map((e) => [e.name, e.value]))).toMatchObject({
      HOST: '10.1.2.3',
      PORT: '5432',
      DATABASES: names.join('\n'),
    });
  });

  test('restores without password, token, address of the server, or processes of the dump', async () => {
    const { spec } = await pod();
    const [restore] = spec?.containers ?? [];
    expect(spec?.containers).toHaveLength(1);
    expect(restore?.command?.at(-1)).toBe('restore');
    expect(JSON.stringify(restore)).not.toMatch(/secret|valueFrom|envFrom|10\.1\.2\.3/i);
    expect(restore?.volumeMounts?.filter((m) => m.name !== 'tmp').every((m) => m.readOnly === true)).toBe(true);
    expect(Object.fromEntries(restore?.env?.map((e) => [e.name, e.value]) ?? [])).toMatchObject({
      CHECKSUMS: 'off',
      WAL_SEGMENT: '16',
      CONFINE: 'filter',
      LITERALS: 'rule',
    });
    expect(spec).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
    expect(spec?.shareProcessNamespace ?? false).toBe(false);
    expect(spec?.hostAliases).toBeUndefined();
    for (const host of ['hostNetwork', 'hostPID', 'hostIPC'] as const) expect(spec?.[host] ?? false).toBe(false);
  });

  test('is not made for a server whose pod has no address', async () => {
    const found = await target();
    const settings = { ...jobSettings(inputs(), server, databases), runId: 'x' };
    expect(() =>
      restoreTestPod({ ...found, pod: undefined }, settings, server, 'postgres', [], scripts, {}, 1),
    ).toThrow(/no address/);
  });
});

test.each([
  ['circle', true, true],
  ['template0', true, false],
  ['closed', false, false],
  ['two\nlines', true, false],
] as const)('database %j that accepts connections: %s is tested: %s', (name, allowsConnections, expected) => {
  expect(isRestoreTested(databaseFacts(name, { allowsConnections }))).toBe(expected);
});
