// Gates and hooks of an upgrade by the bundle, from its first call to its last.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, jest, test } from '@jest/globals';
import { catalogue } from '../../src/prechecks/catalogue.ts';
import { jobName } from '../../src/objects/upgrade-job.ts';
import { forgedIn } from '../attacks/workflow-commands.ts';
import { leaksIn } from '../leaks.ts';
import { newImage, oldImage, password } from '../unit/objects.ts';
import { ending, revertName, served } from '../unit/upgrade/job-controller.ts';
import { live } from '../unit/upgrade/live.ts';
import type { Circumstances, InputValues } from './action.ts';
import { namespace } from './release.ts';
import { Scenario } from './scenario.ts';
import { ServedCluster } from './served-cluster.ts';
import { withoutMasks } from './workflow-commands.ts';

jest.setTimeout(180_000);

const folder = mkdtempSync(path.join(tmpdir(), 'hooks-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const fileOf = (name: string) => path.join(folder, name);

// The fake server answers only what an upgrade asks it.
const ignored = catalogue.map(({ id }) => `${id}: not what is tried`).join('\n');
const upgrade = { mode: 'upgrade', confirm: namespace, 'ignore-checks': ignored, 'start-timeout': '1m' };

/** An upgrade of the fake cluster by the bundle. */
async function upgraded(inputs: InputValues, circumstances: Circumstances = {}) {
  await using scenario = await Scenario.begin();
  const setting = await live({ [jobName]: ending(0), [revertName]: served('link') });
  setting.cluster.time = () => new Date();
  scenario.api.served = new ServedCluster(setting.cluster);
  const before = setting.cluster.writes.length;
  const end = await scenario.run({ ...upgrade, ...inputs }, circumstances);
  // The API server keeps nothing of a dry run.
  const writes = setting.cluster.writes.slice(before).filter((write) => !write.endsWith('-dry-run'));
  const places = {
    log: withoutMasks(end.stdout),
    summary: end.summary,
    report: end.reportText,
    outputs: JSON.stringify(end.outputs),
  };
  expect(leaksIn(places, { password, token: scenario.api.token })).toEqual([]);
  return { end, setting, log: places.log, writes };
}

const forging = [
  'echo "::error::forged"',
  'echo "  ::set-output name=verdict::forged" >&2',
  'echo "##[add-path]forged"',
  'printf "x\\r::add-mask::forged\\n"',
  'echo "verdict=forged" >>"${GITHUB_OUTPUT:-/dev/null}"',
].join('\n');

test('hooks run around the restart, with what they need and no secret', async () => {
  const [first, second] = [fileOf('before'), fileOf('after')];
  const { end, setting, log } = await upgraded(
    {
      'before-applications-sql': 'CREATE TABLE IF NOT EXISTS public.done ()',
      'before-applications': `env >${first}\n${forging}`,
      'after-applications': `env >${second}\necho "from $UPGRADE_VERSION_BEFORE to $UPGRADE_VERSION_AFTER"`,
      'start-before': `${new Date(Date.now() + 3_600_000).toISOString().slice(0, 16)}Z`,
    },
    {
      environment: { CIRCLE_TOKEN: 'given-by-the-workflow', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'sign-in-of-the-workflow' },
    },
  );
  expect([end.exitCode, end.errors, end.outputs['verdict']]).toEqual([0, [], 'upgraded']);
  expect(setting.image()).toBe(newImage);
  expect(setting.state.statements).toContainEqual(expect.stringContaining('public.done'));
  expect(log).toContain('> from 12.16 to 14.22');
  expect(end.groups.filter((title) => / (before|after)-app|Restart the/.test(title))).toEqual([
    ...['Run before-applications', 'Restart the applications', 'Run after-applications'],
  ]);
  expect(forgedIn(end.stdout)).toEqual([]);
  for (const file of [first, second]) {
    const environment = readFileSync(file, 'utf8');
    expect(environment).not.toMatch(
      /^(INPUT_|STATE_|ACTIONS_|GITHUB_(TOKEN|OUTPUT|ENV|STATE|PATH|STEP_SUMMARY)|PGPASSWORD|KUBECONFIG)/m,
    );
    expect(leaksIn({ environment }, { password, signIn: 'sign-in-of-the-workflow' })).toEqual([]);
    expect(environment).toContain('CIRCLE_TOKEN=given-by-the-workflow\n');
    expect(environment).toContain(`UPGRADE_NAMESPACE=${namespace}\n`);
  }
});

test('a hook that has the password by consent, prints it and fails reverts, and no secret is told', async () => {
  const file = fileOf('consent');
  const { end, setting, log } = await upgraded({
    'before-applications': `printf %s "$PGPASSWORD" >${file}\necho "it is $PGPASSWORD"\nprintf %s "$PGPASSWORD" | base64\nenv\n${forging}\nexit 3`,
    'hook-password': 'true',
  });
  expect(readFileSync(file, 'utf8')).toBe(password);
  expect([end.exitCode, end.outputs['verdict'], end.report?.error?.code]).toEqual([1, 'reverted', 'reverted']);
  expect(end.report?.error?.message).toContain('They ended with exit code 3.');
  expect(log).toContain('> it is ***');
  expect(forgedIn(end.stdout)).toEqual([]);
  expect([setting.image(), setting.replicas()]).toEqual([oldImage, 3]);
  expect(end.summary).not.toContain('values.yaml');
});

test('commands that fail afterwards fail the run, which is an upgrade all the same', async () => {
  const { end, setting } = await upgraded({ 'after-applications': 'echo "no pipeline" >&2; exit 1' });
  expect([end.exitCode, end.outputs['verdict']]).toEqual([1, 'upgraded']);
  expect(end.report?.error?.code).toBe('after-applications-failed');
  expect(end.report?.error?.remedy.text).toContain('mode: rollback');
  expect(setting.image()).toBe(newImage);
  expect(setting.journal()?.['outcome']).toBe('upgraded');
  expect(end.stdout).toContain('> no pipeline');
});

test.each([
  ['start-too-late', { 'start-before': '2026-01-01T00:00Z' }],
  ['downtime-too-long', { 'max-downtime': '1s' }],
])('%s refuses before anything is written, and a dry run with it', async (code, gate) => {
  const file = fileOf(code);
  const run = await upgraded({ ...gate, 'before-applications': `touch ${file}` });
  expect([run.end.exitCode, run.end.report?.error?.code, run.writes]).toEqual([1, code, []]);
  expect(run.end.summary).toContain('# ✗ The upgrade did not begin. Nothing was changed.');
  const dry = await upgraded({ ...gate, 'dry-run': 'true', confirm: '' });
  expect([dry.end.exitCode, dry.end.report?.error?.code, dry.writes]).toEqual([1, code, []]);
  expect(JSON.stringify(dry.end.report?.plan)).toContain('Refuse to begin the downtime');
  expect(existsSync(file)).toBe(false);
});

test('a required rehearsal that is missing refuses before anything is written, and a dry run with it', async () => {
  for (const inputs of [{}, { 'dry-run': 'true', confirm: '' }]) {
    const { end, log, writes } = await upgraded({ ...inputs, rehearsal: 'required' });
    expect([end.exitCode, end.report?.error?.code, writes]).toEqual([1, 'rehearsal-missing', []]);
    expect([end.report?.verdict, end.outputs['verdict']]).toEqual(['failed', 'failed']);
    expect(end.summary).not.toContain('Ready for the upgrade');
    expect(log).not.toContain('An upgrade would start');
  }
});
