// Rehearsals by the bundle, from the first call to the last: what they say and what they note. test/unit/rehearsal and test/cluster/rehearsal.test.ts prove what they do.
import { expect, jest, test } from '@jest/globals';
import { catalogue } from '../../src/prechecks/catalogue.ts';
import { forgedIn } from '../attacks/workflow-commands.ts';
import { leaksIn } from '../leaks.ts';
import { password } from '../unit/objects.ts';
import { rehearsalRecordName } from '../../src/objects/rehearsal.ts';
import { left, production, scene, upgradeJob } from '../unit/rehearsal/scene.ts';
import { ending } from '../unit/upgrade/job-controller.ts';
import { namespace } from './release.ts';
import { Scenario } from './scenario.ts';
import { ServedCluster } from './served-cluster.ts';
import { withoutMasks } from './workflow-commands.ts';

jest.setTimeout(180_000);

// The fake server answers only what an upgrade asks it.
const ignored = catalogue.map(({ id }) => `${id}: not what is tried`).join('\n');

async function rehearsed(jobs: Parameters<typeof scene>[0] = {}, inputs: Record<string, string> = {}, checked = 3) {
  await using scenario = await Scenario.begin();
  const setting = await scene(jobs);
  setting.cluster.time = () => new Date();
  setting.state.looked = { ...setting.state.looked, checked };
  scenario.api.served = new ServedCluster(setting.cluster);
  const before = production(setting);
  const end = await scenario.run({ mode: 'rehearse', 'ignore-checks': ignored, ...inputs });
  const places = { log: withoutMasks(end.stdout), summary: end.summary, report: end.reportText };
  expect(leaksIn(places, { password, token: scenario.api.token })).toEqual([]);
  expect([left(setting), production(setting)]).toEqual([[], before]);
  expect(end.state).toMatchObject({ rehearsed: namespace, ended: end.outputs['verdict'] });
  const record = setting.cluster.peek('configmaps', rehearsalRecordName, namespace)?.data?.['record'] ?? '{}';
  return { ...end, record: JSON.parse(record) as { readonly passed?: boolean } };
}

test('a rehearsal that passes says so in log, report and summary', async () => {
  const end = await rehearsed();
  expect([end.report?.error, end.exitCode, end.outputs['verdict']]).toEqual([undefined, 0, 'warning']);
  expect(end.report?.rehearsal).toHaveLength(12);
  expect(end.report?.rehearsal?.filter(({ status }) => status !== 'passed')).toEqual([]);
  expect(end.record.passed).toBe(true);
  // The checks that were ignored.
  expect(end.summary).toContain('# ! The upgrade passed on a copy of the volume, with warnings');
  expect(end.summary).toContain('| ✓ passed | pg\\_upgrade on the copy |');
});

test('one that does not pass fails, with what was found and what to do, and no text of the Job is a command', async () => {
  const message = '::error::forged\n::set-output name=verdict::forged';
  const end = await rehearsed({ [upgradeJob]: ending(10, { message }) });
  expect([end.report?.error?.code, end.exitCode, end.outputs['verdict']]).toEqual(['rehearsal-failed', 1, 'failed']);
  expect(end.report?.error?.message).toMatch(/^The rehearsal did not pass\. pg_upgrade on the copy \(failed\): /);
  expect(end.summary).toContain('# ✗ The rehearsal failed');
  expect(end.summary).toContain('| ✗ failed | pg\\_upgrade on the copy |');
  // The error's own annotation has the words behind the action's.
  expect(
    forgedIn(end.stdout).filter((line) => !line.startsWith('::error title=rehearsal-failed::The rehearsal')),
  ).toEqual([]);
});

test('with `amcheck-budget: 0s` it says that nobody looked at the pages, and counts', async () => {
  const end = await rehearsed({}, { 'amcheck-budget': '0s', 'fail-on': 'warning' });
  expect([end.report?.error, end.exitCode, end.record.passed]).toEqual([undefined, 0, true]);
  expect(end.report?.rehearsal?.find(({ id }) => id === 'rehearsal-pages')).toMatchObject({
    status: 'unknown',
    ignored: 'The input "amcheck-budget" says not to look. The upgrade keeps what is damaged.',
  });
  expect(end.stdout).toContain('(rehearsal-pages: unknown, ignored)');
  expect(end.summary).toContain('is ignored: The input');
});

test('one with a warning counts for no upgrade where fail-on does not let it pass', async () => {
  const end = await rehearsed({}, { 'fail-on': 'warning' }, 1);
  expect([end.report?.error?.code, end.exitCode, end.record.passed]).toEqual(['rehearsal-failed', 1, false]);
});
