/** @jest-environment ./test/cluster/bench-environment.ts */
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { catalogue } from '../../src/prechecks/catalogue.ts';
import { isWhole } from '../choice.ts';
import { runAction, type ActionEnd } from './action.ts';
import type { V1PersistentVolume, V1Pod, V1Secret } from '@kubernetes/client-node';
import { permissionsFor } from '../../src/permissions/permissions.ts';
import { AuditLog, callName, kubectl, kubectlJson, kubectlWith, namespace, outsideOf, psql, reset } from './bench.ts';
import { replicas, rowCounts } from './server.ts';
import { limitedKubeconfig, namesOf } from './user.ts';

jest.setTimeout(10 * 60_000);

function status(end: ActionEnd, check: string): string | undefined {
  return end.report.findings.find((f) => f.check === check)?.status;
}

describe('a precheck', () => {
  /** What the bench's databases have of which nothing is lost, but which people are told of. */
  const known = ['stored-environment-settings', 'collations', 'publications', 'unlogged-tables'];
  const notPassed = ({ report }: ActionEnd) =>
    report.findings.filter((f) => f.status !== 'passed').map((f) => [f.check, f.status]);
  let end: ActionEnd;
  let audit: AuditLog;
  let before: { replicas: unknown; rows: unknown };

  beforeAll(async () => {
    reset('--no-writer');
    // One with another locale is no obstacle.
    psql(namespace, 'template1', 'DROP DATABASE postgres');
    psql(namespace, 'template1', "CREATE DATABASE postgres TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
    before = { replicas: replicas(namespace), rows: rowCounts(namespace) };
    const kubeconfig = limitedKubeconfig(namespace, 'checker', 'precheck');
    audit = new AuditLog();
    end = await runAction({ namespace, kubeconfig });
  });

  test('by a user who may only look finds nothing in the way of a sound server, and what is to be known of it', () => {
    expect(notPassed(end)).toEqual(known.map((id) => [id, 'warning']));
    expect([end.exitCode, end.outputs['verdict']]).toEqual([0, 'warning']);
    expect(end.log).toContain('this account can only check, as intended');
  });

  test('predicts how long pg_upgrade will take', () => {
    const databases = end.report.prediction?.databases.map(({ name }) => name);
    expect(databases).toEqual(expect.arrayContaining(['circleci', 'postgres']));
    expect(end.log).toContain('pg_upgrade will take about');
  });

  // That an upgrade's user has all of its permissions test/cluster/permissions.test.ts proves too.
  if (isWhole)
    test('by the user of an upgrade warns of no permission', async () => {
      const kubeconfig = limitedKubeconfig(namespace, 'upgrader', 'upgrade');
      const upgrader = await runAction({ namespace, kubeconfig });
      expect([upgrader.exitCode, upgrader.outputs['verdict']]).toEqual([0, 'warning']);
      expect(notPassed(upgrader)).toEqual(known.map((id) => [id, 'warning']));
    });

  test('answers every check in a line of the log and in the summary', () => {
    // Nothing is asked about a values file where there is none.
    for (const { id, title } of catalogue.filter((c) => c.subject !== 'values')) {
      const isPassed = !known.includes(id);
      const begin = isPassed ? `✓ ${title} (${id}, ` : `! ${title} (${id}: warning, `;
      expect(end.log.split('\n').filter((line) => line.startsWith(begin))).toEqual([
        expect.stringMatching(/, \d+\.\d s\)(?:: .*)?$/),
      ]);
      expect(end.summary).toContain(`\`${id}\``);
    }
  });

  test('as a dry run of an upgrade tells all that the upgrade would do, and writes as little', async () => {
    const kubeconfig = limitedKubeconfig(namespace, 'planner', 'precheck');
    const calls = new AuditLog();
    // The probes of a dry run are a precheck's; by them it knows how long each step will take.
    const probes = isWhole ? 'pods' : 'none';
    const dry = await runAction({ namespace, kubeconfig, probes, mode: 'upgrade', 'dry-run': 'true' });
    expect([dry.exitCode, dry.outputs['verdict'], dry.report.error]).toEqual([0, 'warning', undefined]);
    const written = isWhole ? ['create pods', 'delete pods'] : [];
    expect([...new Set(calls.writes(':planner').map(callName))].sort()).toEqual(written);
    expectOnlyProbes(calls, ':planner');
    expect(dry.log).toMatch(/An upgrade would start, .*; this one \(.*:planner\) can only check\. /);
    const { plan } = dry.report;
    if (isWhole) expect(plan?.predictedSeconds).toBeGreaterThan(5);
    const made = plan?.steps.flatMap(({ moves }) => moves.flatMap((move) => (move.does === 'create' ? [move] : [])));
    const kinds = made?.map(({ manifest }) => (manifest as { kind: string }).kind).join(' ');
    expect(kinds).toBe('Lease ConfigMap VolumeSnapshot PersistentVolumeClaim Job Job VolumeSnapshot Job');
    expect(dry.log).toMatch(
      isWhole
        ? /^::group::Plan: Run pg_upgrade in a Job: about [\d.]+ s \(/m
        : /^::group::Plan: Run pg_upgrade in a Job/m,
    );
    expect(dry.log).toMatch(/^ +-\s+replicas: 1$/m);
    // What it says that would be sent, the API server would take.
    for (const { manifest } of made ?? []) wouldTake(manifest);
  });

  test('makes no call outside of the table of permissions, and no pod that is not labelled as its probe', () => {
    expect(audit.events(':checker').length).toBeGreaterThan(50);
    expectOnlyProbes(audit, ':checker');
  });

  test('writes nothing but its probe pods, and removes them', () => {
    const writes = audit.writes(':checker').map(callName);
    expect(writes.sort()).toEqual([...Array<string>(4).fill('create pods'), ...Array<string>(4).fill('delete pods')]);
    expect(
      kubectl('-n', namespace, 'get', 'pods', '-l', 'app.kubernetes.io/name=postgres-upgrade-probe', '-o', 'name'),
    ).toBe('');
    expect({ replicas: replicas(namespace), rows: rowCounts(namespace) }).toEqual(before);
  });

  describe.each([
    // What does not get into the way of one another is broken at once.
    ['none', ['volume-users', 'leftovers', 'database-connections', 'admission', 'applications']],
    ['none', ['superuser-login']],
    ['pods', ['images', 'serving-start', 'libraries']],
  ])('with probes %s sees what is broken', (probes, checks) => {
    let broken: ActionEnd;

    beforeAll(async () => {
      const undone: ReturnType<typeof breakIt>[] = [];
      try {
        for (const check of checks) undone.push(breakIt(check));
        const inputs = Object.assign({}, ...undone.map((undo) => undo.inputs)) as Record<string, string>;
        broken = await runAction({ namespace, probes, ...inputs });
      } finally {
        for (const undo of undone) undo.repair();
      }
    });

    test('and is red', () => {
      expect([broken.exitCode, broken.outputs['verdict']]).toEqual([1, 'failed']);
    });

    test.each(checks)('%s, and says what to do', (check) => {
      expect(['failed', 'unknown']).toContain(status(broken, check));
      expect(broken.report.findings.find((f) => f.check === check)?.remedy).toBeTruthy();
      // By itself, or under the one reason for which several could not be told.
      expect(broken.log).toMatch(new RegExp(`::error title=(${check}|[^\n]* The checks: [^\n]*\\b${check}\\b)`));
    });
  });
});

describe('an object that only pg_upgrade itself would find', () => {
  // 14 makes a multirange type with each range type, and functions of its name.
  const planted = `CREATE TYPE price_range AS RANGE (subtype = numeric); CREATE FUNCTION price_multirange() RETURNS int LANGUAGE sql AS 'SELECT 1'`;
  const settings = ['log_statement', 'log_line_prefix'];
  let database: string;
  let audit: AuditLog;
  let found: ActionEnd;
  let said: string[];

  beforeAll(async () => {
    database = psql(
      namespace,
      'postgres',
      "SELECT datname FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1') ORDER BY 1 LIMIT 1",
    );
    psql(namespace, database, planted);
    psql(namespace, 'postgres', "ALTER SYSTEM SET log_statement = 'all'");
    psql(namespace, 'postgres', "ALTER SYSTEM SET log_line_prefix = '[%a] '");
    psql(namespace, 'postgres', 'SELECT pg_reload_conf()');
    const kubeconfig = limitedKubeconfig(namespace, 'restore-tester', 'precheck');
    audit = new AuditLog();
    found = await runAction({ namespace, kubeconfig });
    const log = kubectl('-n', namespace, 'logs', 'postgresql-0').split('\n');
    said = log.filter((line) => line.startsWith('[postgresql-upgrade] LOG:  statement: '));
    for (const setting of settings) psql(namespace, 'postgres', `ALTER SYSTEM RESET ${setting}`);
    psql(namespace, 'postgres', 'SELECT pg_reload_conf()');
  });

  test('fails the check, which names it and what 14 says to it', () => {
    const finding = found.report.findings.find((f) => f.check === 'restore-test');
    expect(finding?.status).toBe('failed');
    expect(finding?.evidence[0]).toContain(
      `${database}: FUNCTION price_multirange(): ERROR:  function "price_multirange" already exists`,
    );
    expect(finding?.remedy?.text).toMatch(/^Rename the object/);
    expect(found.report.findings.filter((f) => f.status === 'failed')).toHaveLength(1);
    expect(found.outputs).toMatchObject({ verdict: 'failed', 'failed-checks': 'restore-test' });
  });

  test('is found by labelled pods without a volume of the server, and without a secret in a manifest', () => {
    const pods = audit.writes(':restore-tester').filter((event) => event.verb === 'create');
    expect(pods.map(callName)).toEqual(Array<string>(4).fill('create pods'));
    expect(pods.map((event) => event.objectRef?.namespace)).toEqual(Array<string>(4).fill(namespace));
    const volume = kubectlJson('get', 'persistentvolume', volumeOfServer()) as V1PersistentVolume;
    const reach = volume.spec?.nodeAffinity?.required;
    expect(reach?.nodeSelectorTerms.length).toBeGreaterThan(0);
    for (const { requestObject } of pods) {
      const { metadata, spec } = requestObject as V1Pod;
      // The server's own pod, with another image, is as its template has it.
      if (metadata?.labels?.['postgresql-upgrade/probe'] !== 'start')
        expect(spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution).toEqual(reach);
      expect(metadata?.labels).toMatchObject({ 'app.kubernetes.io/name': 'postgres-upgrade-probe' });
      expect(spec?.volumes?.filter((v) => v.emptyDir === undefined && v.downwardAPI === undefined)).toEqual([]);
    }
    const secret = kubectlJson('-n', namespace, 'get', 'secret', 'postgresql') as V1Secret;
    const passwords = Object.values(secret.data ?? {}).map((value) => Buffer.from(value, 'base64').toString('utf8'));
    expect(passwords.filter((password) => JSON.stringify(pods).includes(password))).toEqual([]);
  });

  test('is found by reading alone', () => {
    const statements = said.map((line) => line.replace('[postgresql-upgrade] LOG:  statement: ', ''));
    const verbs = new Set(statements.map((statement) => statement.split(/[\s;]/)[0]));
    expect([...verbs].sort()).toEqual(['BEGIN', 'DO', 'LOCK', 'SELECT', 'SET', 'WITH']);
    const locks = statements.filter((statement) => statement.startsWith('LOCK'));
    expect(locks.filter((statement) => !statement.endsWith(' IN ACCESS SHARE MODE'))).toEqual([]);
  });

  // That a sound server passes is told above.
  if (isWhole)
    test('and is found no more when it is gone', async () => {
      psql(namespace, database, 'DROP FUNCTION price_multirange()');
      const cured = await runAction({ namespace });
      expect([status(cured, 'restore-test'), cured.exitCode]).toEqual(['passed', 0]);
    });
});

function volumeOfServer(): string {
  return kubectl('-n', namespace, 'get', 'pvc', 'data-postgresql-0', '-o', 'jsonpath={.spec.volumeName}');
}

/** Reads, reviews, dry runs and labelled probe pods: all that the audit log has of a user whose run changes nothing. */
function expectOnlyProbes(calls: AuditLog, user: string): void {
  expect(outsideOf(permissionsFor('precheck'), namesOf(namespace), calls.events(user))).toEqual([]);
  const writes = calls.writes(user);
  const made = writes.filter(({ verb }) => verb === 'create').map(({ requestObject }) => requestObject as V1Pod);
  for (const { metadata } of made)
    expect(metadata?.labels).toMatchObject({ 'app.kubernetes.io/name': 'postgres-upgrade-probe' });
  const names = writes.filter(({ verb }) => verb === 'delete').map(({ objectRef }) => objectRef?.name ?? '');
  expect(names.filter((name) => !name.startsWith('postgres-upgrade-probe-'))).toEqual([]);
  expect(names).toHaveLength(made.length);
}

/** @throws Error when the API server refuses the object */
function wouldTake(manifest: object): void {
  const text = JSON.stringify(manifest).replaceAll('YYYYMMDDhhmmss', '20260102030405');
  kubectlWith(text, '-n', namespace, 'create', '--dry-run=server', '-f', '-');
}

/** Makes one check fail on the real server; how to take it back. */
function breakIt(check: string): { inputs: Record<string, string>; repair(): void } {
  const nothing = () => undefined;
  const inNamespace = (...args: string[]) => kubectl('-n', namespace, ...args);
  const inServer = (command: string) => inNamespace('exec', 'postgresql-0', '--', 'sh', '-c', command);
  switch (check) {
    case 'volume-users': {
      const overrides = {
        spec: {
          securityContext: { runAsUser: 1001, runAsNonRoot: true },
          containers: [
            {
              name: 'guest',
              image: 'bench.local/application:1',
              command: ['sleep', '600'],
              volumeMounts: [{ name: 'data', mountPath: '/data' }],
            },
          ],
          volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-postgresql-0' } }],
        },
      };
      inNamespace('run', 'guest', '--image=bench.local/application:1', `--overrides=${JSON.stringify(overrides)}`);
      return { inputs: {}, repair: () => inNamespace('delete', 'pod', 'guest', '--now', '--wait') };
    }
    case 'leftovers':
      inServer('mkdir /bitnami/postgresql/data-14');
      return { inputs: {}, repair: () => inServer('rmdir /bitnami/postgresql/data-14') };
    // Under another name than template0, a database has to accept connections.
    case 'database-connections':
      psql(namespace, 'postgres', 'ALTER DATABASE template0 RENAME TO away');
      return { inputs: {}, repair: () => psql(namespace, 'postgres', 'ALTER DATABASE away RENAME TO template0') };
    case 'admission':
      inNamespace('create', 'quota', 'tight', '--hard=count/jobs.batch=0');
      return { inputs: {}, repair: () => inNamespace('delete', 'quota', 'tight') };
    case 'applications':
      return { inputs: { 'application-selector': 'layer=nobody' }, repair: nothing };
    case 'images':
      return { inputs: { 'upgrade-image': 'cciserver.azurecr.io/server-postgres-upgrade:14-only' }, repair: nothing };
    case 'serving-start': {
      const patch = (...operations: object[]) =>
        inNamespace('patch', 'statefulset', 'postgresql', '--type=json', `--patch=${JSON.stringify(operations)}`);
      const strategy = (value: object) => ({ op: 'replace', path: '/spec/updateStrategy', value });
      // Nothing is restarted by a change of the template alone.
      const env = { name: 'POSTGRESQL_EXTRA_FLAGS', value: '-c wal_keep_segments=8' };
      patch(strategy({ type: 'OnDelete' }), { op: 'add', path: '/spec/template/spec/containers/0/env/-', value: env });
      return {
        inputs: {},
        repair: () => {
          inNamespace('set', 'env', 'statefulset/postgresql', 'POSTGRESQL_EXTRA_FLAGS-');
          patch(strategy({ type: 'RollingUpdate', rollingUpdate: { partition: 0 } }));
        },
      };
    }
    case 'libraries':
      psql(
        namespace,
        'circleci',
        "CREATE FUNCTION legacy_eq(citext, citext) RETURNS boolean LANGUAGE c IMMUTABLE STRICT AS 'legacy_text', 'citext_eq'",
      );
      return { inputs: {}, repair: () => psql(namespace, 'circleci', 'DROP FUNCTION legacy_eq(citext, citext)') };
    case 'superuser-login':
      inNamespace('create', 'secret', 'generic', 'wrong', '--from-literal=password=not-the-password');
      return {
        inputs: { 'secret-name': 'wrong', 'secret-key': 'password' },
        repair: () => inNamespace('delete', 'secret', 'wrong'),
      };
    default:
      throw new Error(check);
  }
}
