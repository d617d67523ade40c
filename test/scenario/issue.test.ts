import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { BareRepository } from '../github/bare-repository.ts';
import { GitHubDouble } from '../github/double.ts';
import { faults } from '../github/faults.ts';
import { issuesToken, jobToken } from '../github/token.ts';
import type { ActionEnd, InputValues } from './action.ts';
import { refuse } from './faults.ts';
import { statefulSet } from './release.ts';
import { Scenario } from './scenario.ts';

const token = 'ghs_0123456789abcdef0123456789abcdef0123';

let git: BareRepository;
let github: GitHubDouble;
beforeEach(async () => {
  git = BareRepository.make({ 'README.md': '# Infrastructure\n' });
  github = await GitHubDouble.start(git, { repository: 'admins/server' });
  github.tokens.set(token, issuesToken);
});
afterEach(async () => {
  expect(github.violations).toEqual([]);
  await github.stop();
  git.remove();
});

async function precheck(scenario: Scenario, inputs: InputValues = {}): Promise<ActionEnd> {
  const environment = { GITHUB_API_URL: github.apiUrl, GITHUB_SERVER_URL: github.serverUrl };
  return await scenario.run({ issue: 'true', 'github-token': token, ...inputs }, { environment });
}

/** The API server would refuse the Job in as many prechecks. */
function exceedQuota({ api }: Scenario, prechecks: number): void {
  api.answer('POST', /\/jobs$/, refuse(403, 'Forbidden', 'exceeded quota: @compute <b> #1'), prechecks);
}

test('a precheck that finds something opens an issue, says so everywhere, and closes it when it finds nothing', async () => {
  await using scenario = await Scenario.begin();
  exceedQuota(scenario, 1);
  const red = await precheck(scenario);
  expect(red.exitCode).toBe(1);
  const url = `${github.serverUrl}/admins/server/issues/1`;
  expect(red.outputs).toMatchObject({
    ...{ verdict: 'failed', 'failed-checks': 'admission' },
    ...{ 'issue-operation': 'created', 'issue-number': '1', 'issue-url': url },
  });
  expect(red.report?.issue).toEqual({ operation: 'created', number: 1, url });
  expect(red.report?.error?.code).toBe('precheck-blocks');
  expect(red.summary).toContain(`Issue about the prechecks: [#1](${url}) (created).`);
  expect(red.report?.phases.map(({ id }) => id)).toEqual(['discover', 'precheck', 'issue']);
  const body = github.state.issues[0]?.body ?? '';
  expect(body).toContain('✗ 1 check of ');
  // As code it mentions nobody, refers to nothing, and is no markup.
  expect(body).toMatch(/`[^`\n]*exceeded quota: @compute <b> #1 \(HTTP 403\)\.`/);
  expect(body).toContain(`[this workflow run](${github.serverUrl}/admins/server/actions/runs/1/attempts/1)`);
  // The runner takes the secret out of the log from there on.
  expect(red.stdout).toContain(`::add-mask::${token}\n`);
  expect(red.stdout.replace(`::add-mask::${token}\n`, '')).not.toContain(token);

  const green = await precheck(scenario);
  expect(green.exitCode).toBe(0);
  expect(green.outputs).toMatchObject({ verdict: 'warning', 'issue-operation': 'closed', 'issue-number': '1' });
  expect(github.state.issues[0]?.state).toBe('closed');
  github.requests.length = 0;
  expect((await precheck(scenario)).outputs['issue-operation']).toBe('none');
  expect(github.attempts).toEqual([]);
  expect(scenario.api.writes).toEqual([]);
});

test('without "issue" nobody asks GitHub', async () => {
  await using scenario = await Scenario.begin();
  exceedQuota(scenario, 1);
  const end = await precheck(scenario, { issue: 'false' });
  expect(end.outputs['issue-operation']).toBeUndefined();
  expect(end.report?.issue).toBeUndefined();
  expect(github.requests).toEqual([]);
});

test('what is ignored is shown as ignored, and opens nothing', async () => {
  await using scenario = await Scenario.begin();
  exceedQuota(scenario, 2);
  expect((await precheck(scenario)).outputs['issue-operation']).toBe('created');
  const end = await precheck(scenario, { 'ignore-checks': 'admission: the quota is raised on Friday' });
  expect(end.outputs).toMatchObject({ verdict: 'warning', 'issue-operation': 'closed' });
  expect(github.state.issues[0]?.body).toContain('is ignored: the quota is raised on Friday');
  expect(github.state.comments[0]?.body).toContain('failed, ignored, which does not block');
});

test('an issue is closed when PostgreSQL 14 serves', async () => {
  await using scenario = await Scenario.begin();
  exceedQuota(scenario, 1);
  await precheck(scenario);
  const image = 'cciserver.azurecr.io/server-postgres:14.22.4094-4922444';
  scenario.api.objects.put('statefulsets', statefulSet('postgresql', { image }));
  scenario.postgresql.server = { ...scenario.postgresql.server, versionNumber: 140022, version: '14.22' };
  const end = await precheck(scenario);
  expect(end.outputs).toMatchObject({ verdict: 'already-upgraded', 'issue-operation': 'closed' });
});

test('checks that did not come to their end leave the issue as it is, and that is told', async () => {
  await using scenario = await Scenario.begin();
  exceedQuota(scenario, 1);
  await precheck(scenario);
  github.requests.length = 0;
  const end = await precheck(scenario, { statefulset: 'another' });
  expect(end.exitCode).toBe(1);
  expect(end.outputs['verdict']).toBe('failed');
  expect(end.outputs['issue-operation']).toBeUndefined();
  expect(end.warnings.join()).toContain('left the issue about them as it is');
  expect(github.requests).toEqual([]);
  expect(github.state.issues[0]?.state).toBe('open');
});

test.each<[string, InputValues, () => void, RegExp]>([
  ['no token', { 'github-token': '' }, () => undefined, /Set "github-token" to a token with the permissions for it/],
  [
    'a token that may not',
    {},
    () => github.tokens.set(token, jobToken),
    /Resource not accessible by integration.*Give the job "permissions: \{ issues: write \}"/,
  ],
  [
    'a token that is refused',
    {},
    () => {
      github.play('POST', /graphql/, faults.badCredentials);
    },
    /Renew the token/,
  ],
])('with %s the verdict stays, and a warning says what to do', async (_what, inputs, prepare, message) => {
  await using scenario = await Scenario.begin();
  prepare();
  const green = await precheck(scenario, inputs);
  expect(green.exitCode).toBe(0);
  expect(green.errors).toEqual([]);
  expect(green.outputs).toMatchObject({ verdict: 'warning', 'issue-operation': 'failed' });
  expect(green.warnings.find((w) => w.includes('could not update the issue'))).toMatch(message);
  expect(green.report?.warnings.join()).toMatch(message);
  expect(green.summary).toMatch(message);

  exceedQuota(scenario, 1);
  prepare();
  const red = await precheck(scenario, inputs);
  expect(red.exitCode).toBe(1);
  expect(red.report?.error?.code).toBe('precheck-blocks');
  expect(red.outputs).toMatchObject({ verdict: 'failed', 'issue-operation': 'failed' });
});
