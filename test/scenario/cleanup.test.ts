import { expect, jest, test } from '@jest/globals';
import { namespace } from './release.ts';
import { Scenario } from './scenario.ts';

jest.setTimeout(60_000);

const kept = '/bitnami/postgresql/data-12.preupgrade';

/** What the script says of a data directory that no upgrade of this action made. */
const noMark = ['transfer\t', 'run\t', 'removing\t'];

/** PostgreSQL 14 serves since a day, after the vendor's way; the volume is a list of directories. */
function upgrade(scenario: Scenario): Set<string> {
  const { api, postgresql } = scenario;
  postgresql.server = { ...postgresql.server, version: '14.22', versionNumber: 140022 };
  const startedAt = new Date(Date.now() - 25 * 3_600_000).toISOString();
  const pod = api.objects.get({ resource: 'pods', namespace, name: 'postgresql-0' });
  const server = { name: 'postgresql', ready: true, restartCount: 0, state: { running: { startedAt } } };
  api.objects.put('pods', {
    ...pod,
    metadata: { name: 'postgresql-0', namespace },
    status: { ...(pod?.['status'] as object), containerStatuses: [server] },
  });
  const directories = new Set([kept, '/bitnami/postgresql/upgrade-logs']);
  const { program } = api;
  let freeKiB = 1000;
  const answer = (...rows: string[]) => ({ exitCode: 0, stdout: [...rows, 'end', ''].join('\n') });
  api.program = (execution) => {
    const { command, input } = execution;
    if (input.includes('pg_catalog.strpos')) return { exitCode: 0, stdout: '' };
    if (command.includes('look'))
      return answer(
        ...[...directories].map(
          (path, index) => `directory\t${path === kept ? 'old' : 'logs'}\t${path}\t1:${String(index)}\t999\t1048576\t`,
        ),
        ...noMark,
      );
    if (command.some((word) => word.includes('df -Pk'))) return { exitCode: 0, stdout: `${String(freeKiB)}\n` };
    if (!command.includes('remove')) return program(execution);
    const gone = [...directories].map((_path, index) => `gone\t1:${String(index)}`);
    directories.clear();
    freeKiB += 2048;
    return answer(...gone);
  };
  return directories;
}

test('mode cleanup removes what the documented way left, and says what was freed', async () => {
  await using scenario = await Scenario.begin();
  const directories = upgrade(scenario);
  const inputs = { mode: 'cleanup', confirm: namespace, backup: 'external', 'confirm-external-backup': namespace };
  const end = await scenario.run(inputs);
  expect(end.errors).toEqual([]);
  expect(end.exitCode).toBe(0);
  expect(end.outputs).toMatchObject({ verdict: 'cleaned-up', 'freed-bytes': String(2048 * 1024) });
  expect([...directories]).toEqual([]);
  expect(end.summary).toContain('**2 MiB** more free');
  expect(end.notices).toEqual([expect.stringMatching(/^cleaned up: Removed 2 items, 2 MiB by their sizes\./)]);
});

test('a dry run of it lists the same, and writes nothing', async () => {
  await using scenario = await Scenario.begin();
  const directories = upgrade(scenario);
  const end = await scenario.run({ mode: 'cleanup', 'dry-run': 'true', backup: 'external' });
  expect([end.errors, end.exitCode, end.outputs['verdict']]).toEqual([[], 0, 'passed']);
  expect(end.stdout).toContain(`- Directory ${kept} (1 MiB)`);
  expect(directories.size).toBe(2);
  expect(scenario.api.writes).toEqual([]);
});

test('mode cleanup removes nothing where a condition is not met, and names it', async () => {
  await using scenario = await Scenario.begin();
  const program = scenario.api.program;
  scenario.api.program = (execution) =>
    execution.command.includes('look')
      ? { exitCode: 0, stdout: [`directory\told\t${kept}\t1:1\t1001\t1048576\t`, ...noMark, 'end', ''].join('\n') }
      : execution.input.includes('pg_catalog.strpos')
        ? { exitCode: 0, stdout: '' }
        : program(execution);
  const end = await scenario.run({ mode: 'cleanup', confirm: namespace });
  expect([end.exitCode, end.outputs['verdict'], end.report?.error?.code]).toEqual([1, 'failed', 'cleanup-blocked']);
  expect(end.report?.error?.message).toContain('PostgreSQL 14 serves: PostgreSQL 12.22 serves');
  expect(end.summary).toContain('Nothing was removed');
  expect(scenario.api.writes).toEqual([]);
});
