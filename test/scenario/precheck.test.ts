import { expect, test } from '@jest/globals';
import { permissionsFor } from '../../src/permissions/permissions.ts';
import { refuse } from './faults.ts';
import { application, probeLog, statefulSet } from './release.ts';
import { Scenario } from './scenario.ts';

const home = '/api/v1/namespaces/circleci-server';
const apps = '/apis/apps/v1/namespaces/circleci-server';
const reads = [
  `GET /api/v1/namespaces/circleci-server`,
  'GET /api/v1/nodes',
  `GET /api/v1/persistentvolumes/pv-1`,
  `GET ${apps}/deployments`,
  `GET ${apps}/statefulsets`,
  `GET ${home}/configmaps/postgresql-upgrade-12-to-14-journal`,
  `GET ${home}/persistentvolumeclaims`,
  `GET ${home}/persistentvolumeclaims/data-postgresql-0`,
  `GET ${home}/pods`,
  `GET ${home}/pods/postgresql-0`,
  `GET ${home}/pods/postgresql-0/exec`,
  `GET ${home}/secrets`,
  `GET ${home}/secrets/postgresql`,
  'GET /apis/argoproj.io/v1alpha1',
  'GET /apis/batch/v1/namespaces/circleci-server/cronjobs',
  'GET /apis/batch/v1/namespaces/circleci-server/jobs',
  'GET /apis/helm.toolkit.fluxcd.io/v2',
  'GET /apis/keda.sh/v1alpha1',
  'GET /apis/keda.sh/v1alpha1/namespaces/circleci-server/scaledobjects',
  'GET /apis/kustomize.toolkit.fluxcd.io/v1',
  'GET /apis/networking.k8s.io/v1/namespaces/circleci-server/networkpolicies',
  'GET /apis/policy/v1/namespaces/circleci-server/poddisruptionbudgets',
  'GET /apis/snapshot.storage.k8s.io/v1/namespaces/circleci-server/volumesnapshots',
  'GET /apis/snapshot.storage.k8s.io/v1/volumesnapshotclasses',
  'GET /apis/storage.k8s.io/v1/storageclasses/standard',
  'GET /version',
];
const dryRuns = [
  `POST ${home}/configmaps`,
  `POST ${home}/persistentvolumeclaims`,
  `POST ${home}/pods`,
  'POST /apis/batch/v1/namespaces/circleci-server/jobs',
  'POST /apis/snapshot.storage.k8s.io/v1/namespaces/circleci-server/volumesnapshots',
];
const reviews = 'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

function serveProbes({ api }: Scenario): void {
  const succeeded = { name: 'probe', state: { terminated: { exitCode: 0, reason: 'Completed' } } };
  const running = { name: 'postgresql', state: { running: { startedAt: '2026-01-01T00:00:00Z' } } };
  api.podStatus = ({ metadata }) =>
    metadata.labels?.['postgresql-upgrade/probe'] === 'start'
      ? { phase: 'Running', containerStatuses: [running] }
      : { phase: 'Succeeded', containerStatuses: [succeeded] };
  api.podLog = (pod) => probeLog(pod.metadata.labels?.['postgresql-upgrade/probe'] ?? '');
}

test('a healthy server passes every check, with no more than the permissions of a precheck', async () => {
  await using scenario = await Scenario.begin();
  serveProbes(scenario);
  scenario.api.granted = permissionsFor('precheck');
  const end = await scenario.run({ probes: 'pods' });
  expect([end.errors, end.warnings]).toEqual([[], []]);
  expect(end.exitCode).toBe(0);
  expect(end.outputs).toMatchObject({
    verdict: 'passed',
    'image-registry': 'cciserver.azurecr.io',
    'image-repository': 'server-postgres',
    'image-tag': '14.22.4094-4922444',
    image: 'cciserver.azurecr.io/server-postgres:14.22.4094-4922444',
  });
  const findings = end.report?.findings ?? [];
  expect(findings.filter((f) => f.status !== 'passed')).toEqual([]);
  const permissions = findings.find((f) => f.check === 'permissions');
  expect(permissions?.evidence).toEqual([expect.stringMatching(/^this account can only check, as intended/)]);
  expect(end.report?.cluster).toBe(`${scenario.api.address} (context production)`);
  expect(end.report?.phases.map((p) => [p.id, p.outcome])).toEqual([
    ['discover', 'done'],
    ['precheck', 'done'],
  ]);
  expect(end.summary).toMatch(/^# ✓ Ready for the upgrade\n/);
  const passed = findings.length;
  expect(end.groups).toEqual([
    'Find the server',
    'Gather facts',
    `${String(passed)} checks passed`,
    'Annotations of the checks',
  ]);
  const lines = end.stdout.split('\n');
  expect(lines).toContain(
    `Checked namespace circleci-server in cluster ${scenario.api.address} (context production): ${String(passed)} ✓ passed`,
  );
  for (const { check } of findings)
    expect(lines.filter((line) => new RegExp(`^✓ .* \\(${check}, \\d+\\.\\d s\\): `).test(line))).toHaveLength(1);
  // How long it took is told, and in no finding.
  expect(end.report?.prediction?.pgUpgradeSeconds).toBeGreaterThan(2);
  expect(end.summary).toContain('pg_upgrade will take about');
  // The only writes are those of the probes, and each one is removed.
  const made = scenario.api.writes.filter((w) => w.startsWith('POST'));
  const removed = scenario.api.writes.filter((w) => w.startsWith('DELETE'));
  expect(made).toEqual(Array<string>(4).fill(`POST ${home}/pods`));
  expect(removed.sort()).toEqual([
    expect.stringContaining(`DELETE ${home}/pods/postgres-upgrade-probe-restore-test-`),
    expect.stringContaining(`DELETE ${home}/pods/postgres-upgrade-probe-serving-`),
    expect.stringContaining(`DELETE ${home}/pods/postgres-upgrade-probe-start-`),
    expect.stringContaining(`DELETE ${home}/pods/postgres-upgrade-probe-upgrade-`),
  ]);
});

test('without probes it makes exactly the reads and dry runs that it needs, and writes nothing', async () => {
  await using scenario = await Scenario.begin();
  const end = await scenario.run();
  expect(end.exitCode).toBe(0);
  expect(end.outputs['verdict']).toBe('warning');
  // What only the images tell is unknown; that it stops nothing, and what tells it then, is said.
  const unasked = end.report?.findings.filter(({ status }) => status === 'unknown') ?? [];
  const ids = ['locales-in-images', 'restore-test', 'images', 'security-faults', 'serving-start', 'extensions'];
  expect(unasked.map(({ check }) => check)).toEqual(ids);
  for (const { ignored } of unasked) expect(ignored).toMatch(/"probes" is none\. |The upgrade (shows|tests) /);
  expect([end.outputs['unknown-checks'], end.warnings]).toEqual(['', []]);
  expect(scenario.api.writes).toEqual([]);
  expect([...new Set(scenario.api.lines)]).toEqual([...reads, ...dryRuns, reviews].sort());
  const count = (line: string) => scenario.api.lines.filter((l) => l === line).length;
  // KEDA is not installed: its rights are not asked for.
  expect(count(reviews)).toBe(permissionsFor('upgrade').filter((p) => p.ifServed !== true).length);
  // server, databases, volume, what pg_upgrade refuses, clients (twice), hazards in the server, secrets of roles; and each of the four databases that take
  // connections, for which there is a session each
  expect(count(`GET ${home}/pods/postgresql-0/exec`)).toBe(12);
});

test('two runs over the same cluster tell the same, but for what they measured', async () => {
  await using scenario = await Scenario.begin();
  scenario.api.answer('POST', /\/jobs$/, refuse(403, 'Forbidden', 'exceeded quota: compute'));
  const once = async () => {
    const { report, stdout, summary } = await scenario.run();
    const { checkSeconds, phases, prediction, ...told } = report ?? {};
    expect(Object.keys(checkSeconds ?? {})).toEqual(report?.findings.map((f) => f.check));
    expect([phases?.length, prediction]).toEqual([2, undefined]);
    return {
      report: JSON.stringify(told),
      log: stdout.replace(/, \d+\.\d s\)/g, ')').replace(/^::stop-commands.*$/gm, ''),
      summary: summary.replace(/^(\| [^|]+ \|) `[\d:]+` \| [\d.]+ (\| [^|]* \| [✓✗] \|)$/gm, '$1 $2'),
    };
  };
  const [first, second] = [await once(), await once()];
  expect(second.report).toBe(first.report);
  expect(second.log).toBe(first.log);
  expect(second.summary).toBe(first.summary);
});

test('an upgrade stops at a failed check before it writes anything', async () => {
  await using scenario = await Scenario.begin();
  scenario.api.answer('POST', /\/jobs$/, refuse(403, 'Forbidden', 'exceeded quota: compute'));
  const end = await scenario.run({ mode: 'upgrade', confirm: 'circleci-server' });
  expect(end.exitCode).toBe(1);
  expect(end.outputs['verdict']).toBe('failed');
  expect(end.report?.error?.code).toBe('precheck-blocks');
  expect(end.report?.error?.message).toContain('admission (failed)');
  expect(end.errors.find((e) => e.startsWith('admission'))).toContain('exceeded quota: compute');
  expect(end.errors.join('\n')).not.toContain('..');
  expect(scenario.api.writes).toEqual([]);
});

test('a server that is upgraded already is left alone, and that is a success', async () => {
  await using scenario = await Scenario.begin();
  const used = 'cciserver.azurecr.io/server-postgres:14.22.4094-4922444';
  scenario.api.objects.put('statefulsets', statefulSet('postgresql', { image: used }));
  scenario.postgresql.server = { ...scenario.postgresql.server, versionNumber: 140022, version: '14.22' };
  const end = await scenario.run({ mode: 'upgrade', confirm: 'circleci-server' });
  expect(end.exitCode).toBe(0);
  expect(end.outputs).toMatchObject({ verdict: 'already-upgraded', image: used });
  expect(end.notices).toEqual([expect.stringContaining('PostgreSQL 14.22 serves')]);
  expect(scenario.api.writes).toEqual([]);
});

test('an image that cannot be pulled blocks the upgrade', async () => {
  await using scenario = await Scenario.begin();
  serveProbes(scenario);
  const message = 'Back-off pulling image: manifest unknown';
  const state = { waiting: { reason: 'ImagePullBackOff', message } };
  const containerStatuses = ['probe', 'postgresql'].map((name) => ({ name, state }));
  scenario.api.podStatus = () => ({ phase: 'Pending', containerStatuses });
  const end = await scenario.run({ probes: 'pods' });
  expect(end.exitCode).toBe(1);
  expect(end.report?.findings.find((f) => f.check === 'images')?.status).toMatch(/failed|unknown/);
  expect(end.errors.join('\n')).toContain('manifest unknown');
  expect(scenario.api.writes.filter((w) => w.startsWith('DELETE'))).toHaveLength(4);
});

test('what a probe cannot tell in time is not taken for passed, and the probes are removed', async () => {
  await using scenario = await Scenario.begin();
  scenario.api.podStatus = () => ({
    phase: 'Pending',
    conditions: [
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available' },
    ],
  });
  const end = await scenario.run({ probes: 'pods', 'job-start-timeout': '1s' });
  expect(end.exitCode).toBe(1);
  expect(end.report?.findings.find((f) => f.check === 'images')?.status).toMatch(/failed|unknown/);
  expect(end.errors.join('\n')).toContain('0/3 nodes are available');
  expect(scenario.api.writes.filter((w) => w.startsWith('DELETE'))).toHaveLength(4);
});

test('each missing permission is named, and nothing else is asked for', async () => {
  await using scenario = await Scenario.begin();
  scenario.api.granted = permissionsFor('upgrade').filter(
    (p) =>
      !(
        (p.resource === 'volumesnapshots' && p.verb === 'create') ||
        (p.resource === 'jobs' && p.verb === 'list') ||
        (p.resource === 'secrets' && p.verb === 'get')
      ),
  );
  const hidden = await scenario.run();
  expect(hidden.report?.error?.message).toContain('cannot get resource "secrets"');
  scenario.api.granted = [...scenario.api.granted, { verb: 'get', resource: 'secrets' }];
  const end = await scenario.run();
  expect(end.exitCode).toBe(1);
  const finding = end.report?.findings.find((f) => f.check === 'permissions');
  // What only informs a precheck, and what an upgrade needs.
  expect(finding?.status).toBe('warning');
  expect(finding?.evidence).toEqual([
    expect.stringMatching(/^not granted: list jobs.batch .*leftovers may be unknown/),
    expect.stringMatching(/^not granted: create volumesnapshots.snapshot.storage.k8s.io .*admission may be unknown/),
    expect.stringContaining('missing: list jobs.batch'),
    expect.stringContaining('missing: create volumesnapshots.snapshot.storage.k8s.io'),
  ]);
  const unknown = end.report?.findings.filter(({ status }) => status === 'unknown').map(({ check }) => check);
  expect(unknown).toEqual(expect.arrayContaining(['admission', 'leftovers']));
  expect(scenario.api.writes).toEqual([]);
});

test('a namespace with hundreds of objects is read in pages, to the last one', async () => {
  await using scenario = await Scenario.begin();
  for (let i = 0; i < 1100; i++) scenario.api.objects.put('deployments', application(`app-${String(i)}`, 1));
  scenario.api.objects.put('pods', {
    metadata: { name: 'zzz-copy', namespace: 'circleci-server' },
    spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-postgresql-0' } }] },
    status: { phase: 'Running' },
  });
  for (let i = 0; i < 600; i++)
    scenario.api.objects.put('pods', { metadata: { name: `build-${String(i)}`, namespace: 'circleci-server' } });
  const end = await scenario.run();
  const pages = (path: string) => scenario.api.calls.filter((c) => c.method === 'GET' && c.path === path);
  expect(pages(`${apps}/deployments`).map((c) => [c.query.get('limit'), c.query.get('continue')])).toEqual([
    // For the target, and for marks of Argo CD and Flux.
    ...['first', 'second'].flatMap(() => [
      ['500', null],
      ['500', '500'],
      ['500', '1000'],
    ]),
  ]);
  expect(pages(`${apps}/deployments`).every((c) => c.query.get('labelSelector') === 'layer=application')).toBe(true);
  expect(pages(`${home}/pods`)).toHaveLength(2);
  const evidence = (check: string) => end.report?.findings.find((f) => f.check === check)?.evidence;
  expect(evidence('applications')).toHaveLength(1103);
  expect(evidence('volume-users')).toEqual(['pod zzz-copy mounts data-postgresql-0']);
  expect(end.summary).toContain('more in the log');
});
