import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { BareRepository } from '../github/bare-repository.ts';
import { GitHubDouble } from '../github/double.ts';
import { jobToken } from '../github/token.ts';
import { runAction, type ActionEnd, type InputValues } from './action.ts';
import { statefulSet } from './release.ts';
import { Scenario } from './scenario.ts';

jest.setTimeout(60_000);

const file = 'deploy/values.yaml';
const token = 'ghs_0123456789abcdef0123456789abcdef0123';
const image = 'cciserver.azurecr.io/server-postgres:14.22.4094-4922444';
const before = `# CircleCI Server
postgresql:
  image: # the chart's own
    registry: cciserver.azurecr.io
    repository: server-postgres
    tag: 12.16.3 # from the release notes
`;

let git: BareRepository;
let github: GitHubDouble;
beforeEach(async () => {
  git = BareRepository.make({ [file]: before });
  github = await GitHubDouble.start(git, { repository: 'admins/server' });
  github.tokens.set(token, jobToken);
});
afterEach(async () => {
  expect(github.violations).toEqual([]);
  await github.stop();
  git.remove();
});

const given = { namespace: 'circleci-server', 'values-file': file, 'github-token': token };
const environment = () => ({ GITHUB_API_URL: github.apiUrl, GITHUB_SERVER_URL: github.serverUrl });

async function proposeValues(inputs: InputValues = {}): Promise<ActionEnd> {
  return await runAction({ ...given, mode: 'values', ...inputs }, { environment: environment() });
}

test('mode values edits one line, opens the pull request, and does nothing the second time', async () => {
  const first = await proposeValues();
  expect(first.errors).toEqual([]);
  expect(first.exitCode).toBe(0);
  expect(first.outputs).toMatchObject({
    verdict: 'proposed',
    image,
    'pull-request-operation': 'created',
    'pull-request-number': '1',
    'pull-request-url': `${github.serverUrl}/admins/server/pull/1`,
  });
  const branch = 'circleci-server-postgresql-14-circleci-server-deploy-values-yaml';
  expect(first.outputs['pull-request-head-sha']).toBe(git.head(branch));
  expect(git.file(branch, file)).toBe(before.replace('12.16.3', '14.22.4094-4922444'));
  expect(first.summary).toContain('Merge [the pull request]');
  // The runner takes the secret out of the log from there on.
  const mask = `::add-mask::${token}\n`;
  expect(first.stdout.startsWith(mask)).toBe(true);
  expect(first.stdout.slice(mask.length)).not.toContain(token);
  expect(first.report?.cluster).toBe('');

  github.requests.length = 0;
  const second = await proposeValues();
  expect(second.outputs).toMatchObject({
    verdict: 'proposed',
    'pull-request-operation': 'none',
    'pull-request-number': '1',
    'pull-request-head-sha': first.outputs['pull-request-head-sha'] ?? '',
  });
  expect(github.attempts).toEqual([]);
});

test('mode values says so when the file names the image already', async () => {
  git.commitOn('main', { [file]: before.replace('12.16.3', '14.22.4094-4922444') }, 'Set 14');
  const end = await proposeValues();
  expect(end.outputs).toMatchObject({ verdict: 'up-to-date', 'pull-request-operation': 'none' });
  expect(end.outputs['pull-request-number']).toBeUndefined();
  expect(github.attempts).toEqual([]);
});

test.each<[string, InputValues, string]>([
  ['without a values file', { 'values-file': '' }, 'values-file-missing'],
  ['for a file outside of the repository', { 'values-file': '../values.yaml' }, 'values-file-path'],
  ['without a token', { 'github-token': '' }, 'github-token-missing'],
  ['for a file that is not there', { 'values-file': 'other.yaml' }, 'values-file-not-found'],
])('mode values %s is refused before anything is written', async (_what, inputs, code) => {
  const end = await proposeValues(inputs);
  expect(end.exitCode).toBe(1);
  expect(end.outputs['verdict']).toBe('failed');
  expect(end.errors).toEqual([expect.stringMatching(new RegExp(`^${code}: .* What to do: `))]);
  expect(github.attempts).toEqual([]);
});

const valuesChecks = ['values-file', 'values-branch', 'push-right', 'branch-rules', 'pull-request-right'];

test('a precheck asks about the pull request too, and writes nothing', async () => {
  await using scenario = await Scenario.begin();
  const end = await scenario.run(given, { environment: environment() });
  expect(end.errors).toEqual([]);
  const asked = end.report?.findings.filter((f) => valuesChecks.includes(f.check));
  expect(asked?.map((f) => [f.check, f.status])).toEqual(valuesChecks.map((id) => [id, 'passed']));
  expect(asked?.[0]?.evidence).toEqual([`${file} on main, line 6: postgresql.image.tag 12.16.3 → 14.22.4094-4922444`]);
  expect(github.writes).toEqual([]);
});

test('what is wrong with the values file is shown at its line', async () => {
  await using scenario = await Scenario.begin();
  const at = (end: ActionEnd, title: string) =>
    end.commands.find(({ properties }) => properties['title']?.startsWith(title) === true)?.properties;
  git.commitOn('main', { [file]: before.replace('image:', 'image: &image') + 'other: *image\n' }, 'Anchor');
  const refused = await scenario.run(given, { environment: environment() });
  const finding = refused.report?.findings.find((f) => f.check === 'values-file');
  expect(finding).toMatchObject({ status: 'failed', place: { file } });
  expect(finding?.evidence[0]).toContain(`${file}:${String(finding?.place?.line)}:`);
  expect(at(refused, 'values-file: failed')).toMatchObject({ file, line: String(finding?.place?.line) });
  // The same where nothing else is asked.
  expect(at(await proposeValues(), 'values-')).toMatchObject({ file, line: String(finding?.place?.line) });

  // PostgreSQL 14 is named already, while PostgreSQL 12 runs: the next deployment would start it on data of PostgreSQL 12.
  git.commitOn('main', { [file]: before.replace('12.16.3', '14.22.4094-4922444') }, 'Set 14');
  const early = await scenario.run(given, { environment: environment() });
  expect(early.report?.findings.find((f) => f.check === 'majors')).toMatchObject({
    ...{ status: 'failed', place: { file, line: 6 } },
  });
  expect(at(early, 'majors: failed')).toMatchObject({ file, line: '6' });
});

test('without a values file, no check says anything about it', async () => {
  await using scenario = await Scenario.begin();
  const end = await scenario.run();
  expect(end.report?.findings.some((f) => valuesChecks.includes(f.check))).toBe(false);
});

test('an upgrade does not begin when the pull request could not be made afterwards', async () => {
  github.tokens.set(token, { ...jobToken, contents: 'read' });
  await using scenario = await Scenario.begin();
  const end = await scenario.run(
    { ...given, mode: 'upgrade', confirm: 'circleci-server' },
    { environment: environment() },
  );
  expect(end.exitCode).toBe(1);
  expect(end.outputs['verdict']).toBe('failed');
  expect(end.errors.find((e) => e.startsWith('push-right: failed'))).toContain('contents: write');
  expect(scenario.api.writes).toEqual([]);
});

test('an upgrade does not begin while the values file names PostgreSQL 14 already: the next deployment would start it on the data of PostgreSQL 12', async () => {
  git.commitOn('main', { [file]: before.replace('12.16.3', '14.22.4094-4922444') }, 'Set 14 too early');
  await using scenario = await Scenario.begin();
  const inputs = { ...given, mode: 'upgrade', confirm: 'circleci-server' };
  const end = await scenario.run(inputs, { environment: environment() });
  expect(end.report?.error?.message).toContain('majors (failed)');
  const majors = end.report?.findings.find((f) => f.check === 'majors');
  expect(majors?.evidence).toContain(`${file} names 14.22.4094-4922444 (PostgreSQL 14)`);
  expect(scenario.api.writes).toEqual([]);
  const accepted = await scenario.run(
    { ...given, 'ignore-checks': 'majors: nothing is deployed until then' },
    { environment: environment() },
  );
  expect([accepted.exitCode, accepted.outputs['verdict']]).toEqual([0, 'warning']);
});

function serveFourteen({ api, postgresql }: Scenario): void {
  api.objects.put('statefulsets', statefulSet('postgresql', { image }));
  postgresql.server = { ...postgresql.server, versionNumber: 140022, version: '14.22' };
}

test('an upgrade of a server that is upgraded already still sees to values.yaml', async () => {
  await using scenario = await Scenario.begin();
  serveFourteen(scenario);
  const inputs = { ...given, mode: 'upgrade', confirm: 'circleci-server' };
  const end = await scenario.run(inputs, { environment: environment() });
  expect(end.exitCode).toBe(0);
  expect(end.outputs).toMatchObject({ verdict: 'already-upgraded', 'pull-request-operation': 'created' });
  expect(scenario.api.writes).toEqual([]);
});

test('what is upgraded stays called so when the pull request fails, and the step fails', async () => {
  git.commitOn('main', { [file]: 'postgresql: {image: {tag: &t 12}}\nother: *t\n' }, 'Share the tag');
  await using scenario = await Scenario.begin();
  serveFourteen(scenario);
  const inputs = { ...given, mode: 'upgrade', confirm: 'circleci-server' };
  const end = await scenario.run(inputs, { environment: environment() });
  expect(end.exitCode).toBe(1);
  expect(end.outputs['verdict']).toBe('already-upgraded');
  expect(end.report?.error?.code).toMatch(/^values-/);
  expect(end.report?.error?.message).toContain(`${file}:1:`);
});
