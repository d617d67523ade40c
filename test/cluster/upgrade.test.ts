/** @jest-environment ./test/cluster/bench-environment.ts */
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { anchorName } from '../../src/objects/anchor.ts';
import { permissions } from '../../src/permissions/permissions.ts';
import { isWhole } from '../choice.ts';
import { runAction, type ActionEnd } from './action.ts';
import { admissionPolicies } from '../../src/permissions/admission-policy.ts';
import type { ServerNames } from '../../src/target/server-names.ts';
import { AuditLog, bench, callName, helmUpgrade, kubectl, kubectlWith, namespace, outsideOf, psql } from './bench.ts';
import { expectNoLoss } from './no-loss.ts';
import { attachmentsOf, replicas, statefulSet } from './server.ts';
import { limitedKubeconfig, namesOf } from './user.ts';

jest.setTimeout(15 * 60_000);

const claim = 'data-postgresql-0';

describe('an upgrade, in a namespace that enforces Pod Security restricted, by a user with no right too many', () => {
  let before: ReturnType<typeof replicas>;
  let password: string;
  let kubeconfig: string;
  let names: ServerNames;
  let attached: ReturnType<typeof attachmentsOf>;
  let audit: AuditLog;
  let end: ActionEnd;

  beforeAll(async () => {
    bench('reset', '--namespace', namespace, '--size-mb', '20', '--tables', '40', '--pod-security', 'restricted');
    before = replicas(namespace);
    password = Buffer.from(
      kubectl('-n', namespace, 'get', 'secret', 'postgresql', '-o', 'jsonpath={.data.postgres-password}'),
      'base64',
    ).toString();
    names = namesOf(namespace);
    kubeconfig = limitedKubeconfig(namespace, 'upgrader', 'upgrade');
    // The optional ones of the documentation: they let an upgrade through.
    kubectlWith(admissionPolicies(namespace, 'upgrader').join('\n'), 'apply', '-f', '-');
    attached = attachmentsOf(namespace, claim);
    audit = new AuditLog();
    end = await runAction({ namespace, mode: 'upgrade', confirm: namespace, kubeconfig });
  });

  test('ends well, with PostgreSQL 14 serving', () => {
    expect(end.log).toContain('PostgreSQL 14');
    expect([end.exitCode, end.outputs['verdict']]).toEqual([0, 'upgraded']);
    expect(psql(namespace, 'postgres', 'SHOW server_version')).toMatch(/^14\./);
  });

  test('loses and doubles no acknowledged change', () => {
    const { acknowledged } = expectNoLoss(namespace);
    expect(acknowledged).toBeGreaterThan(0);
  });

  test('brings every workload back as it was', () => {
    expect(replicas(namespace)).toEqual(before);
  });

  test('says what values.yaml needs, and more', () => {
    expect(end.outputs).toMatchObject({
      'image-registry': 'cciserver.azurecr.io',
      'image-repository': 'server-postgres',
      'image-tag': '14.22.4094-4922444',
      image: 'cciserver.azurecr.io/server-postgres:14.22.4094-4922444',
    });
    expect(Number(end.outputs['downtime-seconds'])).toBeGreaterThan(0);
    const snapshot = kubectl(
      '-n',
      namespace,
      'get',
      'volumesnapshot',
      end.outputs['snapshot'] ?? '',
      '-o',
      'jsonpath={.status.readyToUse}',
    );
    expect(snapshot).toBe('true');
    expect(end.summary).toContain('# ✓ PostgreSQL 14 serves');
    expect(end.report).toMatchObject({
      verdict: 'upgraded',
      transfer: 'link',
      versions: { before: '12.22', after: '14.22' },
    });
  });

  test('has statistics for every table in the end', () => {
    expect(end.report.statisticsSeconds).toBeGreaterThan(end.report.downtimeSeconds ?? Infinity);
    const databases = psql(namespace, 'postgres', 'SELECT datname FROM pg_database WHERE datallowconn').split('\n');
    for (const database of databases) {
      expect(psql(namespace, database, 'SELECT count(*) FROM pg_stat_user_tables WHERE last_analyze IS NULL')).toBe(
        '0',
      );
    }
  });

  test('neither detaches nor attaches the volume in the downtime, and leaves nothing that keeps it attached', () => {
    expect(attached).toHaveLength(1);
    expect(attachmentsOf(namespace, claim)).toEqual(attached);
    expect(end.log).not.toContain('to be detached');
    const left = kubectl('-n', namespace, 'get', 'jobs,pods', '-o', 'name');
    expect(left).not.toContain(anchorName);
  });

  test('leaves no gate and no ownership behind', () => {
    const { gates, managers, image } = statefulSet(namespace);
    expect(gates).toBeUndefined();
    expect(managers).not.toContain('circleci-server-postgresql-upgrade');
    expect(image).toBe('cciserver.azurecr.io/server-postgres:14.22.4094-4922444');
  });

  test('asks the API server for nothing outside of the table of permissions', () => {
    const calls = audit.events(':upgrader');
    expect(new Set(calls.map(callName)).size).toBeGreaterThan(10);
    expect(outsideOf(permissions, names, calls)).toEqual([]);
  });

  test('shows the password nowhere', () => {
    const everything = [
      end.log.replace(`::add-mask::${password.replaceAll('%', '%25')}`, ''),
      end.summary,
      JSON.stringify(end.outputs),
      JSON.stringify(end.report),
      JSON.stringify(audit.events()),
    ];
    expect(everything.filter((text) => text.includes(password))).toEqual([]);
  });

  test('a second run changes nothing', async () => {
    const again = new AuditLog();
    const second = await runAction({ namespace, mode: 'upgrade', confirm: namespace, kubeconfig });
    expect([second.exitCode, second.outputs['verdict']]).toEqual([0, 'already-upgraded']);
    expect(again.writes(':upgrader').map(callName)).toEqual([]);
    expect(replicas(namespace)).toEqual(before);
  });

  const helmUpgrades = [
    {
      ...{ side: 'server-side', mode: ['--server-side=true', '--force-conflicts=false'] },
      ...{ registry: 'docker.io', repository: 'circleci/server-postgres', frontends: 3 },
    },
    {
      ...{ side: 'client-side', mode: ['--server-side=false'] },
      ...{ registry: 'cciserver.azurecr.io', repository: 'server-postgres', frontends: 2 },
    },
  ] as const;
  // The client asks for no conflicts; test/cluster/rollback.test.ts upgrades so, too.
  test.each(isWhole ? helmUpgrades : helmUpgrades.slice(0, 1))(
    'helm upgrade, $side, passes afterwards with another image and count',
    ({ mode, registry, repository, frontends }) => {
      helmUpgrade(
        ...mode,
        ...['--set', `postgresql.image.registry=${registry},postgresql.image.repository=${repository}`],
        ...['--set', `postgresql.image.tag=14.22.4094-4922444,applications.frontend.replicas=${String(frontends)}`],
      );
      expect(psql(namespace, 'postgres', 'SHOW server_version')).toMatch(/^14\./);
      expect(statefulSet(namespace).image).toBe(`${registry}/${repository}:14.22.4094-4922444`);
      const count = `${String(frontends)}/${String(frontends)}`;
      expect(replicas(namespace)).toEqual({ ...before, 'deployments/frontend': count });
    },
  );
});
