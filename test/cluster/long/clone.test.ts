/** @jest-environment ./test/cluster/bench-environment.ts */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { runAction, saysInLog, startAction, type ActionEnd } from '../action.ts';
import { bench, kubectl, namespace, psql } from '../bench.ts';
import { expectNoLoss } from '../no-loss.ts';
import { replicas } from '../server.ts';

jest.setTimeout(15 * 60_000);

const onVolume = (...names: string[]) =>
  path.join(bench('volume-path', '--namespace', namespace, '--pvc', 'data-postgresql-0').trim(), ...names);

describe('on a volume where reflinks work', () => {
  let before: ReturnType<typeof replicas>;

  beforeAll(() => {
    bench('reset', '--namespace', namespace, '--storage-class', 'standard-btrfs');
    before = replicas(namespace);
  });

  describe('an upgrade whose Job fails, since a file is lost', () => {
    let end: ActionEnd;

    beforeAll(async () => {
      // Of a TOAST table that nobody reads, so only the one who clones it finds out: in the middle of pg_upgrade.
      const file = psql(
        namespace,
        'postgres',
        "CREATE TABLE lost (t text); CHECKPOINT; SELECT pg_relation_filepath(reltoastrelid) FROM pg_class WHERE relname = 'lost'",
      );
      const action = startAction({ namespace, mode: 'upgrade', confirm: namespace });
      // After the checks, which would find it.
      await saysInLog(action, '::group::Stop the applications');
      kubectl('-n', namespace, 'exec', 'postgresql-0', '--', 'rm', `/bitnami/postgresql/data/${file}`);
      end = await action.end;
    });

    test('ends as reverted, with the cause', () => {
      expect([end.exitCode, end.outputs['verdict']]).toEqual([1, 'reverted']);
      expect(end.report.error?.message).toContain('error while cloning relation "pg_toast.pg_toast_');
    });

    test('PostgreSQL 12 serves as before, with every change, and nothing of the upgrade is left', () => {
      expect(psql(namespace, 'postgres', 'SHOW server_version')).toBe('12.22');
      expectNoLoss(namespace);
      expect(replicas(namespace)).toEqual(before);
      expect(readdirSync(onVolume()).sort()).toEqual(['.postgresql-upgrade', 'data', 'upgrade-logs']);
    });
  });

  describe('an upgrade', () => {
    let end: ActionEnd;

    beforeAll(async () => {
      psql(namespace, 'postgres', 'DROP TABLE lost');
      // Another attempt, as GitHub counts them: the ended Job of the first one is not its own.
      end = await runAction({ namespace, mode: 'upgrade', confirm: namespace }, { GITHUB_RUN_ATTEMPT: '2' });
    });

    test('clones the files, and says so', () => {
      expect(end.report.error).toBeUndefined();
      expect([end.exitCode, end.outputs['verdict']]).toEqual([0, 'upgraded']);
      expect(end.report.transfer).toBe('clone');
      expect(end.summary).toContain('transfer mode `clone`');
      expect(psql(namespace, 'postgres', 'SHOW server_version')).toMatch(/^14\./);
    });

    test('loses and doubles no acknowledged change, and brings every workload back', () => {
      expectNoLoss(namespace);
      expect(replicas(namespace)).toEqual(before);
    });

    test('keeps PostgreSQL 12 whole beside PostgreSQL 14, and the snapshot', () => {
      expect(existsSync(onVolume('data-12.preupgrade/global/pg_control'))).toBe(true);
      const snapshot = end.outputs['snapshot'] ?? '';
      const ready = ['get', 'volumesnapshot', snapshot, '-o', 'jsonpath={.status.readyToUse}'];
      expect(kubectl('-n', namespace, ...ready)).toBe('true');
    });
  });
});

test('a mode that the volume cannot do is refused, and PostgreSQL 12 serves on', async () => {
  bench('reset', '--namespace', namespace, '--no-writer');
  const end = await runAction({ namespace, mode: 'upgrade', confirm: namespace, transfer: 'clone' });
  expect([end.exitCode, end.outputs['verdict']]).toEqual([1, 'reverted']);
  expect(end.report.error?.message).toContain('transfer mode clone does not work on this volume');
  expect(psql(namespace, 'postgres', 'SHOW server_version')).toBe('12.22');
});
