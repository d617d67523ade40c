import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { jobName, upgradeJob } from '../../src/objects/upgrade-job.ts';
import { parseJobResult } from '../../src/job/result.ts';
import { sha256 } from '../../src/objects/bootstrap.ts';
import { runUpgradeJob } from '../../src/upgrade/steps/upgrade-job.ts';
import { namespace, stopApplications, target } from '../unit/objects.ts';
import { setUp } from '../unit/upgrade/context.ts';
import { controlJobs, ending, revertName } from '../unit/upgrade/job-controller.ts';
import { live } from '../unit/upgrade/live.ts';
import { answerError } from '../../src/adapters/api-error.ts';
import { ownerLabel } from '../../src/objects/pod.ts';
import { journalName } from '../../src/objects/journal-name.ts';
import { thrownBy } from '../unit/thrown.ts';
import { rollBackNow, type Live } from './interrupted.ts';

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
 * Runs the Job's command as its container would.
 * @param passwd what the action wrote for /etc/passwd; this machine's stands for the one of the pod
 */
async function runJobWith(files: Readonly<Record<string, string>>, passwd = readFileSync('/etc/passwd', 'utf8')) {
  const job = upgradeJob(await target(), settings, 'upgrade', files);
  const { command = [], env = [] } = job.spec?.template.spec?.containers[0] ?? {};
  const [program = '', ...args] = command;
  const result = path.join(directory, 'result');
  const run = spawnSync(program, args, {
    env: {
      PATH: process.env['PATH'] ?? '',
      ...Object.fromEntries(env.map(({ name, value = '' }) => [name, value])),
      ...{ PASSWD_SUM: sha256(passwd), RESULT_FILE: result },
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

describe('the scripts of the Job', () => {
  test.each([
    ['as they are', scripts],
    [
      'whatever is in them',
      { 'upgrade.sh': `printf '%s\\n' '-n %s \\n "$1" \u00e4' "$1"\n`, '-n': '-e', 'a b.sh': '' },
    ],
    ['of any size', { 'upgrade.sh': `echo "$1" "\${#LONG}"\n${'# long\n'.repeat(14_000)}` }],
  ])('run, %s', async (_what, files) => {
    const { code, output } = await runJobWith(files);
    const direct = path.join(directory, 'direct');
    mkdirSync(direct);
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(direct, name), text);
    const wanted = spawnSync('bash', [path.join(direct, 'upgrade.sh'), 'upgrade'], { encoding: 'utf8' });
    expect([code, output]).toEqual([0, wanted.stdout]);
    expect(output).not.toBe('');
  });

  test('are read from nowhere that others may write', async () => {
    const job = upgradeJob(await target(), settings, 'upgrade', scripts);
    const { volumes = [], containers = [] } = job.spec?.template.spec ?? {};
    expect(volumes.map(({ name }) => name).sort()).toEqual(['data', 'passwd', 'tmp']);
    const variables = containers.flatMap(({ env = [], envFrom = [] }) => [...env, ...envFrom]);
    expect(variables.filter((one) => 'valueFrom' in one || !('value' in one))).toEqual([]);
  });
});

test('a neighbour who changes the annotation that becomes /etc/passwd stops the Job before it begins', async () => {
  const { code, output, result } = await runJobWith(scripts, 'postgres:x:0:0::/bitnami/postgresql/data:/bin/sh\n');
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

describe('a neighbour who may create ConfigMaps', () => {
  const reverted = ending(0, { command: 'revert', outcome: 'reverted', message: 'data is PostgreSQL 12 again' });
  const theirs = { metadata: { name: jobName, namespace, labels: ownerLabel }, data: { 'settings.ini': 'keep' } };

  /** Gives the neighbour every name of a ConfigMap but the journal's, which a run of ours has before the downtime. */
  function takeNames({ cluster }: Live): void {
    cluster.put('configmaps', theirs);
    cluster.hooks.push(({ method, resource, name }) => {
      if (method === 'create' && resource === 'configmaps' && name !== journalName)
        throw answerError(`create configmaps ${name}`, 409, 'already exists');
    });
  }

  test.each<[string, (setting: Live) => void]>([
    ['before the upgrade', takeNames],
    [
      'in the downtime',
      (setting) => {
        let isTaken = false;
        setting.cluster.hooks.push(() => {
          if (isTaken || setting.replicas() !== 0) return;
          isTaken = true;
          takeNames(setting);
        });
      },
    ],
  ])('and takes the names %s keeps neither the upgrade nor the rollback from its end', async (_when, take) => {
    const setting = await live({ [jobName]: ending(0), [revertName]: reverted });
    take(setting);
    await setting.begin();
    expect(setting.journal()).toMatchObject({ outcome: 'upgraded' });
    expect(await rollBackNow(setting)).toMatch(/^reverted: /);
    expect(setting.cluster.writes).toContain(`create jobs/${revertName}`);
    expect(setting.cluster.peek('configmaps', jobName, namespace)?.data).toEqual(theirs.data);
  });

  test('and takes the names while the upgrade Job fails does not keep the action from reverting', async () => {
    const setting = await live({ [jobName]: ending(1), [revertName]: reverted });
    let isTaken = false;
    setting.cluster.hooks.push(() => {
      if (isTaken || setting.cluster.peek('jobs', jobName, namespace) === undefined) return;
      isTaken = true;
      takeNames(setting);
    });
    expect((await thrownBy(() => setting.begin())).code).toBe('reverted');
    expect(setting.cluster.writes).toContain(`create jobs/${revertName}`);
    expect(setting.replicas()).toBe(3);
  });
});
