/** @jest-environment ./test/cluster/bench-environment.ts */
// What stands round the server, provoked with kubectl in one server all at once, and taken away again.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { remedyText } from '../../src/text/remedy.ts';
import { commandsFor } from '../commands.ts';
import { isUntold, runAction, type ActionEnd } from './action.ts';
import { apply, environment, kubectl, namespace, psql, reset } from './bench.ts';
import { statefulSet } from './server.ts';
import { limitedKubeconfig } from './user.ts';
import { waitFor } from './wait-for.ts';

jest.setTimeout(10 * 60_000);

const inNamespace = (...args: string[]) => kubectl('-n', namespace, ...args);
const inServer = (command: string) => inNamespace('exec', 'postgresql-0', '--', 'sh', '-c', command).trim();
const patch = (kind: string, ...operations: object[]) =>
  inNamespace('patch', kind, 'postgresql', '--type=json', `--patch=${JSON.stringify(operations)}`);
const revision = 'secret/sh.helm.release.v1.circleci-server.v1';
const root = '/bitnami/postgresql';
const template = '/spec/template/spec';
const password = { name: 'PGPASSWORD', valueFrom: { secretKeyRef: { name: 'postgresql', key: 'postgres-password' } } };

const asked = [
  ...['majors', 'pod-containers', 'termination-grace', 'fs-group', 'free-space', 'transfer'],
  ...['volume-claim', 'clients', 'foreign-workloads', 'helm-release'],
];
let provoked: ActionEnd;
let shell: ChildProcess;

beforeAll(async () => {
  reset('--no-writer');
  provoke();
  shell = localSession();
  await sessions(2);
  provoked = await runAction({ namespace, probes: 'none', 'probe-volume': 'true', transfer: 'clone' });
});

afterAll(() => {
  shell.kill();
});

function found(end: ActionEnd, check: string) {
  const finding = end.report.findings.find((one) => one.check === check);
  return { ...finding, text: finding?.evidence.join('\n') ?? '', remedy: remedyText(finding?.remedy ?? { text: '' }) };
}

const statuses = (end: ActionEnd) => Object.fromEntries(asked.map((check) => [check, found(end, check).status]));

test('each is found for what it is', () => {
  expect(statuses(provoked)).toEqual({
    majors: 'failed',
    'pod-containers': 'warning',
    'termination-grace': 'warning',
    'fs-group': 'passed',
    'free-space': 'failed',
    transfer: 'failed',
    'volume-claim': 'failed',
    clients: 'failed',
    'foreign-workloads': 'warning',
    'helm-release': 'failed',
  });
  expect(provoked.outputs['verdict']).toBe('failed');
});

test.each([
  [
    'majors',
    /the pod template names \S+:14\.22\S* \(PostgreSQL 14\)/,
    /set image statefulset\/postgresql postgresql=\S+:12\./,
  ],
  ['pod-containers', /init container tidy \(\S+\) mounts data-postgresql-0 to write/, /get statefulset postgresql/],
  ['termination-grace', /: 5$/, /terminationGracePeriodSeconds/],
  [
    'free-space',
    /MiB free, about \d+ MiB needed for \d+ databases \(transfer mode clone/,
    /patch persistentvolumeclaim data-postgresql-0/,
  ],
  ['transfer', /reflinks do not work: Operation not supported\nhard links work/, /"transfer" to link or auto/],
  ['volume-claim', /whenScaled: Delete/, /patch statefulset postgresql/],
  [
    'clients',
    /Deployment exporter \(\S+\): exporter, user postgres, database postgres, active/,
    /scale deployment exporter --replicas=0/,
  ],
  ['clients', /in the server's own pod \(local\): by-hand, user postgres/, /pg_terminate_backend\(\d+\)/],
  [
    'foreign-workloads',
    /Deployment exporter .*variable PGPASSWORD \(Secret postgresql\)/,
    /label deployment exporter layer=application/,
  ],
  [
    'foreign-workloads',
    /CronJob dump .*variable PGHOST \(Service postgresql\)/,
    /label cronjob dump layer=application/,
  ],
  ['helm-release', /release circleci-server, revision 1: pending-upgrade/, /helm -n \S+ rollback circleci-server/],
])('%s says %s, and what to do', (check, evidence, remedy) => {
  expect(found(provoked, check).text).toMatch(evidence);
  expect(found(provoked, check).remedy).toMatch(remedy);
});

test('the trial of the volume has left nothing there', () => {
  expect(inServer(`ls -A ${root}`).split('\n').sort()).toEqual(['ballast', 'data', 'lost+found']);
});

test('when all is taken away, by the commands that were given where there are any, all of it passes', async () => {
  const pod = inNamespace('get', 'pod', 'postgresql-0', '-o', 'jsonpath={.metadata.uid}');
  inServer(`rm ${root}/ballast`);
  inNamespace('label', '--overwrite', revision, 'status=deployed');
  inNamespace('label', 'cronjob', 'dump', 'layer=application');
  inNamespace('label', 'deployment', 'exporter', 'layer=application');
  psql(
    namespace,
    'postgres',
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'by-hand'",
  );
  runCommands('majors');
  runCommands('volume-claim');
  patch('statefulset', { op: 'remove', path: `${template}/initContainers` });
  patch('statefulset', { op: 'replace', path: `${template}/terminationGracePeriodSeconds`, value: 30 });
  await sessions(1);
  const end = await runAction({ namespace, probes: 'none', 'probe-volume': 'true' });
  expect(statuses(end)).toEqual(Object.fromEntries(asked.map((check) => [check, 'passed'])));
  expect(found(end, 'clients').text).toBe('1 sessions of workloads that the upgrade stops');
  expect(found(end, 'transfer').text).toContain('the Job will link the files');
  // Nothing of all this has restarted the server.
  expect(inNamespace('get', 'pod', 'postgresql-0', '-o', 'jsonpath={.metadata.uid}')).toBe(pod);
});

test('without the right to list Secrets only the question about Helm stays open', async () => {
  const kubeconfig = limitedKubeconfig(
    namespace,
    'no-list',
    'upgrade',
    (p) => !(p.verb === 'list' && p.resource === 'secrets'),
  );
  const end = await runAction({ namespace, probes: 'none', kubeconfig });
  expect(found(end, 'permissions').status).toBe('passed');
  expect(end.report.findings.filter(isUntold).map(({ check }) => check)).toEqual(['helm-release']);
  expect(found(end, 'helm-release').remedy).toMatch(/helm -n \S+ status circleci-server/);
});

test("an exporter in the server's own pod fails, with how it is left out", async () => {
  inNamespace('delete', 'deployment', 'exporter', '--wait');
  const command = 'until psql -h 127.0.0.1 -U postgres -c "SELECT pg_sleep(3600)"; do sleep 0.2; done';
  const env = [password, { name: 'PGAPPNAME', value: 'metrics' }];
  const { image } = statefulSet(namespace);
  const sidecar = { name: 'metrics', image, command: ['sh', '-c', command], env, securityContext: { runAsUser: 1001 } };
  patch('statefulset', { op: 'add', path: `${template}/containers/-`, value: sidecar });
  // The applications' sessions would keep it for its whole grace period.
  inNamespace('delete', 'pod', 'postgresql-0', '--now', '--wait');
  inNamespace('wait', '--for=create', 'pod/postgresql-0', '--timeout=2m');
  inNamespace('wait', '--for=condition=Ready', 'pod/postgresql-0', '--timeout=2m');
  await sessions(1);
  const end = await runAction({ namespace, probes: 'none' });
  expect(found(end, 'clients').status).toBe('failed');
  expect(found(end, 'clients').text).toMatch(
    /in the server's own pod \(127\.0\.0\.1, beside it: metrics\): metrics, user postgres/,
  );
  expect(found(end, 'clients').remedy).toContain('postgresql.metrics.enabled=false');
  expect(found(end, 'pod-containers').text).toContain('sidecar metrics');
});

/** Runs the commands of what was found, as a person would copy them. */
function runCommands(check: string): void {
  const commands = commandsFor('shell', provoked.report.findings.find((one) => one.check === check)?.remedy);
  execFileSync('sh', ['-c', commands || 'false'], { env: { ...process.env, ...environment }, stdio: 'pipe' });
}

function provoke(): void {
  const { image } = statefulSet(namespace);
  const free = Number(inServer(`df -Pk ${root} | awk 'NR == 2 { print $4 }'`));
  inServer(`fallocate -l ${String(free - 150 * 1024)}K ${root}/ballast`);
  inNamespace('label', '--overwrite', revision, 'status=pending-upgrade');
  const mounts = [{ name: 'data', mountPath: '/volume' }];
  const tidy = { name: 'tidy', image, command: ['true'], volumeMounts: mounts };
  patch(
    'statefulset',
    // Nothing is restarted by a change of the template alone.
    { op: 'replace', path: '/spec/updateStrategy', value: { type: 'OnDelete' } },
    { op: 'add', path: `${template}/initContainers`, value: [tidy] },
    { op: 'replace', path: `${template}/terminationGracePeriodSeconds`, value: 5 },
    { op: 'replace', path: `${template}/containers/0/image`, value: image.replace(/:.*/, ':14.22.4094-4922444') },
    {
      op: 'add',
      path: '/spec/persistentVolumeClaimRetentionPolicy',
      value: { whenScaled: 'Delete', whenDeleted: 'Retain' },
    },
  );
  const labels = { app: 'exporter' };
  const psqlForEver = 'exec psql -h "$POSTGRESQL_SERVICE_HOST" -U postgres -c "SELECT pg_sleep(3600)"';
  const exporter = {
    ...{ name: 'exporter', image, command: ['sh', '-c', psqlForEver] },
    env: [password, { name: 'PGAPPNAME', value: 'exporter' }],
    securityContext: { runAsUser: 1001 },
  };
  const dump = { name: 'dump', image, command: ['true'], env: [{ name: 'PGHOST', value: 'postgresql' }] };
  apply(
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'exporter', namespace },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers: [exporter] } },
      },
    },
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'dump', namespace },
      spec: {
        schedule: '0 0 1 1 *',
        jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [dump] } } } },
      },
    },
  );
}

/** As somebody leaves it open in a terminal. */
function localSession(): ChildProcess {
  const command = 'PGPASSWORD="$POSTGRES_PASSWORD" PGAPPNAME=by-hand exec psql -U postgres -c "SELECT pg_sleep(3600)"';
  const args = ['-n', namespace, 'exec', 'postgresql-0', '--', 'sh', '-c', command];
  return spawn('kubectl', args, { env: { ...process.env, ...environment }, stdio: 'ignore' });
}

/** Waits until so many sessions of ours are there. */
async function sessions(count: number): Promise<void> {
  const sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name IN ('by-hand', 'exporter', 'metrics')";
  await waitFor(`${String(count)} sessions`, () => psql(namespace, 'postgres', sql) === String(count));
}
