import { expect, test } from '@jest/globals';
import type { ActionEnd } from './action.ts';
import { page, refuse } from './faults.ts';
import { secret } from './release.ts';
import { Scenario } from './scenario.ts';

function finding({ report }: ActionEnd, check: string) {
  return report?.findings.find((f) => f.check === check);
}

test.concurrent('the password is masked before anything else is said of the database', async () => {
  await using scenario = await Scenario.begin();
  const end = await scenario.run();
  const masks = end.commands.filter((c) => c.name === 'add-mask').map((c) => c.message);
  const { password } = scenario.postgresql;
  // What the runner masks, it masks as it stands.
  for (const secret of [password, scenario.api.token])
    expect(masks).toEqual(expect.arrayContaining([secret, btoa(secret)]));
  expect(new Set(masks).size).toBe(masks.length);
  expect(end.stdout.indexOf(`::add-mask::${password}`)).toBeLessThan(end.stdout.indexOf('Gather facts'));
});

test.concurrent('a line break at the end of the password in the Secret is no part of it', async () => {
  await using scenario = await Scenario.begin();
  scenario.api.objects.put('secrets', secret({ 'postgres-password': `${scenario.postgresql.password}\n` }));
  const end = await scenario.run();
  expect(end.exitCode).toBe(0);
  expect(end.errors).toEqual([]);
});

test.concurrent('a password that the server refuses fails the login check, in the words of the server', async () => {
  await using scenario = await Scenario.begin();
  scenario.api.objects.put('secrets', secret({ 'postgres-password': 'the-one-of-last-year' }));
  const end = await scenario.run();
  expect(end.exitCode).toBe(1);
  expect(end.outputs['verdict']).toBe('failed');
  expect(finding(end, 'superuser-login')?.status).toBe('failed');
  expect(finding(end, 'superuser-login')?.evidence.join()).toContain(
    'password authentication failed for user "postgres"',
  );
  expect(finding(end, 'server-version')?.status).toBe('unknown');
  expect(end.report?.error?.message).toContain('superuser-login (failed; 73 others wait for it)');
  expect(end.stdout.replaceAll('::add-mask::the-one-of-last-year', '')).not.toContain('the-one-of-last-year');
  expect(end.reportText + end.summary).not.toContain('the-one-of-last-year');
});

test.concurrent.each([
  ['a notice of a wrapper', 'Timing is on.\n', 'psql printed something unexpected: Timing is on.'],
  ['a row of another shape', '{"versionNumber":"twelve"}\n', 'versionNumber'],
])('%s before the rows leaves the answer unknown', async (_what, banner, says) => {
  await using scenario = await Scenario.begin();
  scenario.postgresql.banner = banner;
  const end = await scenario.run({ mode: 'upgrade', confirm: 'circleci-server' });
  expect(end.exitCode).toBe(1);
  expect(end.outputs['verdict']).toBe('unknown');
  expect(finding(end, 'superuser-login')?.status).toBe('unknown');
  expect(finding(end, 'server-version')?.evidence.join()).toContain(says);
  expect(scenario.api.writes).toEqual([]);
});

test.concurrent('no row at all leaves the answer unknown', async () => {
  await using scenario = await Scenario.begin();
  scenario.api.program = () => ({ exitCode: 0, stdout: '' });
  const end = await scenario.run();
  expect(end.exitCode).toBe(1);
  for (const check of ['server-version', 'encoding-and-locale', 'layout-user'])
    expect([check, finding(end, check)?.status]).not.toEqual([check, 'passed']);
});

test.concurrent('one database that cannot be read leaves its extensions unknown, and that blocks', async () => {
  await using scenario = await Scenario.begin();
  const message = 'could not open relation mapping file "global/pg_filenode.map"';
  scenario.postgresql.databases = scenario.postgresql.databases.map((d) =>
    d.name === 'vms' ? { ...d, broken: message } : d,
  );
  const end = await scenario.run();
  expect(end.exitCode).toBe(1);
  expect(end.outputs['verdict']).toBe('unknown');
  expect(finding(end, 'extensions')).toMatchObject({
    status: 'unknown',
    evidence: [expect.stringContaining(`database "vms": psql:<stdin>:9: error: \\connect: FATAL:  ${message}`)],
  });
  expect(finding(end, 'superuser-login')?.status).toBe('passed');
});

test.concurrent('a connection that closes without a status is no success of the command', async () => {
  await using scenario = await Scenario.begin();
  scenario.api.program = (execution) =>
    execution.command.includes('psql') ? 'broken' : scenario.postgresql.program(execution);
  const end = await scenario.run();
  expect(end.exitCode).toBe(1);
  expect(finding(end, 'superuser-login')).toMatchObject({
    status: 'unknown',
    evidence: [expect.stringContaining('the connection closed before the command ended (1006')],
  });
});

test.concurrent.each([
  [
    'the API server',
    refuse(403, 'Forbidden', 'pods "postgresql-0" is forbidden: exec is not allowed by policy'),
    'exec is not allowed by policy',
  ],
  ['a proxy that knows no WebSocket', page(502, 'Bad Gateway'), '502'],
])('%s refuses commands in the pod: unknown, and it says so', async (_who, fault, says) => {
  await using scenario = await Scenario.begin();
  scenario.api.answer('GET', /\/exec$/, fault);
  const end = await scenario.run();
  expect(end.exitCode).toBe(1);
  expect(end.outputs['verdict']).toBe('unknown');
  for (const check of ['superuser-login', 'server-version', 'layout-user']) {
    expect(finding(end, check)?.status).toBe('unknown');
    expect(finding(end, check)?.evidence.join()).toContain(says);
  }
  expect(scenario.api.writes).toEqual([]);
});
