import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { jobName, scriptConfigMap, upgradeJob } from '../../src/objects/upgrade-job.ts';
import { parseJobResult } from '../../src/job/result.ts';
import { sha256 } from '../../src/common/sha256.ts';
import { runUpgradeJob } from '../../src/upgrade/steps/upgrade-job.ts';
import { namespace, stopApplications, target } from '../unit/objects.ts';
import { setUp } from '../unit/upgrade/context.ts';
import { controlJobs, ending } from '../unit/upgrade/job-controller.ts';

const scripts = {
  'upgrade.sh': 'here=$(dirname "$0")\necho "upgrade $1"\nsource "$here/volume.sh"\n',
  'volume.sh': 'echo volume\n',
};

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'scripts-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

/**
 * Runs the Job's command as its container would, with what a neighbour made of the ConfigMap.
 * @param passwd what the action wrote for /etc/passwd; this machine's stands for the one of the pod
 */
async function runJobWith(
  files: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>> = scripts,
  passwd = readFileSync('/etc/passwd', 'utf8'),
) {
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(directory, name), text);
  const job = upgradeJob(await target(), settings, 'upgrade', wanted);
  const { command = [], env = [] } = job.spec?.template.spec?.containers[0] ?? {};
  const [program = '', ...args] = command.map((text) => text.replace(/^\/upgrade/, directory));
  const result = path.join(directory, 'result');
  const run = spawnSync(program, args, {
    env: {
      PATH: process.env['PATH'] ?? '',
      ...Object.fromEntries(env.map(({ name, value = '' }) => [name, value])),
      ...{ SCRIPTS: directory, PASSWD_SUM: sha256(passwd), RESULT_FILE: result },
    },
    encoding: 'utf8',
  });
  const left = existsSync(result) ? readFileSync(result, 'utf8') : undefined;
  return { code: run.status, output: run.stdout, result: parseJobResult(left) };
}

const settings = {
  image: 'registry.example.com/upgrade:12-14',
  imagePullSecret: '',
  resources: {},
  jobs: 1,
  transfer: 'auto',
  initdb: { superuser: 'postgres', encoding: 'UTF8', collate: 'C', ctype: 'C' },
  runId: 'run-1@2026-01-02T03:04:05.000Z',
} as const;

const evil = 'echo EVIL\n';

describe('a neighbour who changes the ConfigMap with the scripts', () => {
  test('is not there: they run', async () => {
    const { code, output } = await runJobWith(scripts);
    expect([code, output]).toEqual([0, 'upgrade upgrade\nvolume\n']);
  });

  test.each<[string, Record<string, string>]>([
    ['replaces the script', { ...scripts, 'upgrade.sh': evil }],
    ['replaces a file that it reads', { ...scripts, 'volume.sh': evil }],
    ['appends a line', { ...scripts, 'upgrade.sh': `${scripts['upgrade.sh']}${evil}` }],
    ['prepends a line', { ...scripts, 'upgrade.sh': `${evil}${scripts['upgrade.sh']}` }],
    ['exchanges two files', { 'upgrade.sh': scripts['volume.sh'], 'volume.sh': scripts['upgrade.sh'] }],
    ['takes a file away', { 'upgrade.sh': evil }],
    ['leaves a file empty', { ...scripts, 'volume.sh': '' }],
    ['takes a line end away', { ...scripts, 'volume.sh': 'echo volume' }],
    ['takes all files away', {}],
    ['brings sums of his own', { ...scripts, 'upgrade.sh': evil, sums: `${sha256(evil)}  upgrade.sh\n` }],
  ])('and %s gets none of it run', async (_how, files) => {
    const { code, output, result } = await runJobWith(files);
    expect(output).not.toContain('EVIL');
    expect(output).not.toContain('upgrade upgrade');
    expect(code).toBe(11);
    expect(result).toMatchObject({ command: 'upgrade', outcome: 'refused' });
    expect(result?.message).toContain('somebody changed it');
  });

  test('after they were compared changes nothing of what runs', async () => {
    const files = {
      ...scripts,
      'upgrade.sh': `echo '${evil.trim()}' >"$SCRIPTS/volume.sh"\n${scripts['upgrade.sh']}`,
    };
    expect((await runJobWith(files, files)).output).toBe('upgrade upgrade\nvolume\n');
  });

  test('finds it immutable', async () => {
    expect(scriptConfigMap(await target(), scripts)).toMatchObject({ immutable: true, data: scripts });
  });
});

test('a neighbour who changes the annotation that becomes /etc/passwd stops the Job before it begins', async () => {
  const { code, output, result } = await runJobWith(
    scripts,
    scripts,
    'postgres:x:0:0::/bitnami/postgresql/data:/bin/sh\n',
  );
  expect([code, output.includes('upgrade upgrade')]).toEqual([11, false]);
  expect(result?.message).toContain('somebody changed the annotations of this pod');
});

test('a Job under our name that runs other scripts is not ours, whatever its labels say', async () => {
  const setting = await setUp();
  const { cluster, context } = setting;
  cluster.remove('pods', context.target.podName, namespace);
  stopApplications(cluster);
  cluster.put('jobs', {
    ...upgradeJob(context.target, context.settings, 'upgrade', { 'upgrade.sh': evil }),
    status: { succeeded: 1 },
  });
  const before = cluster.peek('jobs', jobName, namespace)?.metadata?.uid;
  controlJobs(setting, { [jobName]: ending(0) });
  await runUpgradeJob.run(context);
  expect(cluster.peek('jobs', jobName, namespace)?.metadata?.uid).not.toBe(before);
});
