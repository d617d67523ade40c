/** @jest-environment ./test/cluster/bench-environment.ts */
// A role that owns a database, and may create objects in every schema "public", against whole runs: precheck, upgrade, rollback, and upgrade again.
import { spawn, type ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { writeOptions } from '../../../src/database/session-options.ts';
import {
  hostileDatabase,
  hostileMark,
  hostileRole,
  makeDatabase,
  makeRole,
  ownScript,
  restoredKeys,
  restoredObjects,
  shadowScript,
} from '../../attacks/hostile-role.ts';
import { isWhole } from '../../choice.ts';
import { commandsFor } from '../../commands.ts';
import { runAction } from '../action.ts';
import { environment, kubectl, kubectlWith, namespace, psql, reset } from '../bench.ts';

jest.setTimeout(15 * 60_000);

const inputs = { namespace, confirm: namespace };
/** The restore test against such a role has its own attacks (test/attacks/restore.test.ts); of ten thousand functions it takes a minute. */
const probing: Readonly<Record<string, string>> = isWhole ? {} : { probes: 'none', 'verify-backup': 'false' };
const root = '/bitnami/postgresql';
const inServer = (command: string) => kubectl('-n', namespace, 'exec', 'postgresql-0', '--', 'sh', '-c', command);
let logs: ReturnType<typeof serverLogs>;
/** The commands of a remedy. */
let removedColumns: string;

/** Some ten thousand functions in each; those of the role's own database are template1's, where that has them. */
const withShadows = isWhole
  ? ['template1', 'postgres', 'circleci', 'conductor', hostileDatabase]
  : ['circleci', hostileDatabase];
const [looked = hostileDatabase] = withShadows;

beforeAll(() => {
  reset('--no-writer');
  logs = serverLogs();
  safely('template1', makeRole);
  for (const database of withShadows.slice(0, -1)) safely(database, shadowScript());
  safely('postgres', makeDatabase);
  if (!withShadows.includes('template1')) safely(hostileDatabase, shadowScript());
  safely(hostileDatabase, ownScript(restoredObjects, restoredKeys));
});

afterAll(() => {
  // Of the shell, and of kubectl in it.
  if (logs.process.pid !== undefined) process.kill(-logs.process.pid);
});

test('the prechecks find what a restore would run, and run nothing of it', async () => {
  const end = await runAction({ namespace, ...probing });
  expect([end.exitCode, end.outputs['verdict']]).toEqual([1, 'failed']);
  const finding = end.report.findings.find(({ check }) => check === 'restored-code');
  expect(finding?.status).toBe('failed');
  expect(finding?.evidence.join('\n')).toContain('type public.checked: of role mallory');
  expect(finding?.evidence.join('\n')).toContain('table public.hostile_key: calls public.constant() of role mallory');
  const { remedy } = end.report.findings.find(({ check }) => check === 'removed-columns') ?? {};
  removedColumns = commandsFor('psql', remedy);
  expect(removedColumns).toContain('DROP VIEW public.pg_pltemplate;');
  expect(harm()).toEqual([]);
});

test('an upgrade runs nothing of it, once what blocks it is gone', async () => {
  safely(hostileDatabase, withoutRestored);
  for (const database of withShadows) safely(database, withoutChecks);
  // Views of the role under the names of the system's that PostgreSQL 14 lacks something of.
  safely('postgres', removedColumns);
  const end = await runAction({ ...inputs, ...probing, mode: 'upgrade' });
  expect([end.exitCode, end.outputs['verdict'], end.report.error]).toEqual([0, 'upgraded', undefined]);
  expect(psql(namespace, 'postgres', 'SHOW server_version')).toMatch(/^14\./);
  expect(harm()).toEqual([]);
});

test('nor does a rollback', async () => {
  const end = await runAction({ ...inputs, mode: 'rollback', 'accept-data-loss': 'true' });
  expect([end.exitCode, end.outputs['verdict'], end.report.error]).toEqual([0, 'rolled-back', undefined]);
  expect(psql(namespace, 'postgres', 'SHOW server_version')).toBe('12.22');
  expect(harm()).toEqual([]);
});

// With the same statements as the first one.
if (isWhole)
  test('nor does a second upgrade', async () => {
    const end = await runAction({ ...inputs, mode: 'upgrade', probes: 'none', 'verify-backup': 'false' });
    expect([end.exitCode, end.outputs['verdict'], end.report.error]).toEqual([0, 'upgraded', undefined]);
    expect(harm()).toEqual([]);
  });

test('whoever looks by unqualified names makes the role superuser', () => {
  psql(namespace, looked, "SELECT json_build_object('database'::text, current_database())");
  expect(harm()).toEqual(
    expect.arrayContaining([
      expect.stringContaining('json_build_object(text, name)'),
      'the role is superuser',
      'the role has learnt secrets',
    ]),
  );
});

/** What the check names, dropped by its owner. */
const withoutRestored = `
SET SESSION AUTHORIZATION ${hostileRole}; SET search_path = pg_catalog, pg_temp;
DROP AGGREGATE public.hostile_aggregate(text); DROP FUNCTION public.hostile_add(public.checked, text);
DROP TABLE public.hostile_list, public.hostile_child, public.hostile_parent, public.hostile_referring, public.hostile_key, public.hostile_generated;
DROP VIEW public.hostile_array;`;

/** The CHECKs of domains, dropped by their owner. */
const withoutChecks = `
SET SESSION AUTHORIZATION ${hostileRole}; SET search_path = pg_catalog, pg_temp;
DO $do$
DECLARE checked record;
BEGIN
  FOR checked IN SELECT contypid::regtype AS domain, conname FROM pg_constraint JOIN pg_type t ON t.oid = contypid WHERE typowner = current_user::regrole LOOP
    EXECUTE format('ALTER DOMAIN %s DROP CONSTRAINT %I', checked.domain, checked.conname);
  END LOOP;
END $do$;`;

/** What the role's code did with rights that are not its own, as far as the servers' logs, the tables and the volume tell. */
function harm(): string[] {
  // Logs of pg_upgrade have the source of the role's functions, too.
  const marked = new RegExp(`LOG: {2}${hostileMark} .* session of \\S+`, 'g');
  const files = inServer(`grep -rha '${hostileMark} ' ${root}/upgrade-logs 2>/dev/null || true`);
  const noted = withShadows.flatMap((database) =>
    safely(database, "SELECT concat(what, ' ran as ', who) FROM public.ran;").split('\n'),
  );
  const isSuperuser = safely('postgres', `SELECT rolsuper FROM pg_roles WHERE rolname = '${hostileRole}';`);
  return [
    ...new Set([...`${logs.text()}\n${files}`.matchAll(marked)].map(([line]) => line)),
    ...noted.filter((line) => line !== ''),
    ...(isSuperuser === 't' ? ['the role is superuser'] : []),
    ...(inServer(`find ${root} -name stolen`) === '' ? [] : ['the role has learnt secrets']),
  ];
}

/** What each server under the name of the pod logs, from now on. */
function serverLogs(): { readonly process: ChildProcess; text(): string } {
  const follow = `while :; do kubectl -n "${namespace}" logs -f postgresql-0 || sleep 0.2; done`;
  const following = spawn('sh', ['-c', follow], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  let text = '';
  following.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return { process: following, text: () => text };
}

/**
 * What a script of the superuser's prints, who knows what the role may have stored and made.
 * @throws Error when a statement fails: an attack that does not come about is none
 */
function safely(database: string, sql: string): string {
  const command =
    'PGPASSWORD="$POSTGRES_PASSWORD" PGOPTIONS="$2" exec psql -XAtq -v ON_ERROR_STOP=1 -U postgres -d "$1"';
  const args = ['sh', '-c', command, 'sh', database, writeOptions];
  return kubectlWith(sql, '-n', namespace, 'exec', '-i', 'postgresql-0', '--', ...args).trim();
}
