// Wrong inputs through the bundle: each is refused at once and by its name, or told where it comes to nothing.
import { expect, test } from '@jest/globals';
import { Scenario } from '../scenario/scenario.ts';

/** The log without the commands that tell the runner what to mask: those it takes, and shows nobody. */
function withoutMasks(log: string): string {
  return log.replaceAll(/^::add-mask::.*$/gm, '');
}

interface Bad {
  readonly title: string;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly says: string;
}

/** What was accepted, found late, or took its time. */
const refused: Bad[] = [
  { title: 'more jobs than a number has', inputs: { jobs: '99999999999999999999' }, says: 'Input "jobs"' },
  { title: 'a time that no timer holds', inputs: { 'job-timeout': '597h' }, says: 'Input "job-timeout"' },
  {
    title: 'a selector of 100 kB',
    inputs: { 'application-selector': `a=${'b'.repeat(100_000)}` },
    says: 'Input "application-selector"',
  },
  { title: 'a selector that is none', inputs: { 'application-selector': '=,=' }, says: 'Input "application-selector"' },
  { title: 'an image of 60 kB', inputs: { 'image-repository': 'a.'.repeat(30_000) }, says: 'Input "image-repository"' },
  {
    title: 'requests above limits',
    inputs: { resources: '{requests: {cpu: 2}, limits: {cpu: 1}}' },
    says: 'Input "resources"',
  },
  {
    title: 'a path of values that is none',
    inputs: { 'values-path': 'postgresql..image' },
    says: 'Input "values-path"',
  },
  { title: 'a branch that is none', inputs: { 'pull-request-base': 'a..b' }, says: 'Input "pull-request-base"' },
  { title: 'a token with a line end', inputs: { 'github-token': 'ghs_S3cret\nx' }, says: 'Input "github-token"' },
  {
    title: 'a kubeconfig that is none',
    inputs: { kubeconfig: 'x'.repeat(100_000) },
    says: 'The input "kubeconfig" is neither',
  },
  {
    title: 'a mistyped input',
    environment: { INPUT_KUBCONFIG: 'x' },
    says: 'There is no input "kubconfig"; the nearest is "kubeconfig"',
  },
  {
    title: 'a mistyped dry run',
    inputs: { mode: 'upgrade', confirm: 'circleci-server' },
    environment: { INPUT_DRY_RUN: 'true' },
    says: 'the nearest is "dry-run"',
  },
];

test.concurrent.each(refused)('$title is refused and named', async ({ inputs, environment, says }) => {
  await using scenario = await Scenario.begin();
  const end = await scenario.run(inputs, environment === undefined ? {} : { environment });
  expect(end.errors).toEqual([expect.stringContaining(says)]);
  expect(withoutMasks(end.stdout)).not.toContain('S3cret');
  expect(scenario.api.connected).toBe(0);
});

const told: Bad[] = [
  {
    title: 'a consent that the mode does not use',
    inputs: { confirm: 'x', 'accept-data-loss': 'true', 'dry-run': 'true' },
    says: '"mode: precheck" does not use "confirm", "dry-run", "accept-data-loss"',
  },
  { title: 'an input that is unlike any', environment: { INPUT_NOTIFY: 'x' }, says: 'There is no input "notify"' },
  {
    title: 'a selector of all that is left',
    inputs: { 'application-selector': '!x' },
    says: 'selects all but a few workloads',
  },
  { title: 'an image that nobody looks into', inputs: { 'image-tag': 'latest' }, says: '"image-tag" is "latest"' },
  {
    title: 'a check that should not be ignored',
    inputs: { 'ignore-checks': 'permissions: fine\nlayout-user: fine' },
    says: '"ignore-checks" names layout-user',
  },
  {
    title: 'labels for nothing',
    inputs: { labels: 'a' },
    says: '"labels" is used only with "values-file" or "issue: true"',
  },
];

test.concurrent.each(told)('$title is told', async ({ inputs, environment, says }) => {
  await using scenario = await Scenario.begin();
  const end = await scenario.run(inputs, environment === undefined ? {} : { environment });
  expect(end.warnings.join('\n')).toContain(says);
  expect(end.report?.warnings.join('\n')).toContain(says);
});

test.concurrent('a key of the Secret that every object has is not there', async () => {
  await using scenario = await Scenario.begin();
  for (const key of ['__proto__', 'constructor', 'toString']) {
    const end = await scenario.run({ 'secret-key': key });
    expect(end.report?.error?.code).toBe('secret-key-not-found');
  }
});

test.concurrent.each([
  ['a line end', Buffer.from('S3cret\n\\! touch /tmp/x')],
  ['a NUL', Buffer.from('S3cret\0x')],
  ['bytes that are not UTF-8', Buffer.from([0x53, 0x33, 0xff, 0xfe])],
])('a password with %s never reaches psql', async (_what, password) => {
  await using scenario = await Scenario.begin();
  const secret = scenario.api.objects.get({ resource: 'secrets', namespace: 'circleci-server', name: 'postgresql' });
  if (secret === undefined) throw new Error('the release has no Secret');
  const data = { 'postgres-password': password.toString('base64') };
  scenario.api.objects.put('secrets', { ...secret, data });
  const end = await scenario.run();
  expect(end.report?.error?.code).toBe('password-unusable');
  expect(withoutMasks(end.stdout)).not.toContain('S3cret');
  expect(scenario.api.calls.filter(({ path }) => path.endsWith('/exec'))).toEqual([]);
});
