import { describe, expect, test } from '@jest/globals';
import type { Commands, CommandsEnd } from '../../../../src/ports/commands.ts';
import { afterApplications, beforeApplications } from '../../../../src/upgrade/steps/hooks.ts';
import { jobName } from '../../../../src/objects/upgrade-job.ts';
import {
  cluster as newCluster,
  inputs,
  namespace,
  newImage,
  oldImage,
  password,
  serverContainer,
  serverPod,
  statefulSet,
} from '../../objects.ts';
import { thrownBy } from '../../thrown.ts';
import { setUp, type Setting } from '../context.ts';
import { ending, revertName, served } from '../job-controller.ts';
import { isReady } from '../../../../src/upgrade/server/server-ready.ts';
import { Journal } from '../../../../src/journal/journal.ts';
import { expectCompleted } from '../../../../src/upgrade/contract/ending.ts';
import { resumeUpgrade } from '../../../../src/upgrade/resume.ts';
import { anotherRun, live } from '../live.ts';
import { seal } from '../sealed.ts';

const sql = 'CREATE TABLE public.done ();';
const hooks = { 'before-applications-sql': sql, 'before-applications': 'before', 'after-applications': 'after' };

/** Keeps the commands that were asked for, and ends them so. */
function answering(end: CommandsEnd | Error, lines: readonly string[] = []) {
  const asked: Commands[] = [];
  const runCommands = (commands: Commands) => {
    asked.push(commands);
    for (const line of lines) commands.onLine(line);
    return end instanceof Error ? Promise.reject(end) : Promise.resolve(end);
  };
  return { asked, runCommands };
}

async function stepWith(given: Readonly<Record<string, string>>, answer = answering({ exitCode: 0 })) {
  const cluster = newCluster(statefulSet({ containers: [serverContainer({ image: newImage })] })).put(
    'pods',
    serverPod(newImage),
  );
  const setting = await setUp(cluster, given);
  return { ...setting, ...answer, context: { ...setting.context, runCommands: answer.runCommands } };
}

describe('before-applications', () => {
  test('runs the SQL as the superuser in one session, and then the commands', async () => {
    const { context, state, asked, cluster } = await stepWith({ ...hooks, 'hook-timeout': '90s' });
    await beforeApplications.run(context);
    expect(state.statements).toEqual([expect.stringMatching(/^postgres: .* CREATE TABLE public\.done \(\);$/)]);
    const [call] = cluster.calls.filter(({ method }) => method === 'exec');
    expect(call?.options).toMatchObject({ timeout: 90_000 });
    expect(JSON.stringify(call?.body)).toContain('statement_timeout=81000');
    expect(asked).toEqual([expect.objectContaining({ script: 'before', limit: 90_000 })]);
  });

  test('tells the output of both, where no line looks like one of the action', async () => {
    const answer = answering({ exitCode: 0 }, ['one', '', 'two\r::error::three']);
    const { context, log, cluster } = await stepWith(hooks, answer);
    cluster.onExec = () => ({ exitCode: 0, stdout: 'row 1\nrow 2\n', stderr: '' });
    await beforeApplications.run(context);
    expect(log.lines.filter((line) => line.startsWith('>'))).toEqual([
      ...['> row 1', '> row 2', '> one', '> ', '> two ::error::three'],
    ]);
  });

  test('redacts a line before it is cut, and leaves out what is too much', async () => {
    const long = `${'x'.repeat(1990)}${password}`;
    const answer = answering({ exitCode: 0 }, [long, ...Array.from({ length: 2100 }, () => 'more')]);
    const { context, log } = await stepWith({ 'before-applications': 'x' }, answer);
    log.redact = (text) => text.replaceAll(password, '***');
    await beforeApplications.run(context);
    expect(log.text).not.toContain(password.slice(0, 5));
    expect(log.lines.filter((line) => line === '> more')).toHaveLength(1999);
    expect(log.lines).toContain('> … (101 more lines)');
  });

  test.each<[string, CommandsEnd | Error, string]>([
    ['that end with an error', { exitCode: 3 }, 'They ended with exit code 3.'],
    ['that do not end', { endedBy: 'limit' }, 'They did not end within 600 s, and the action ended them.'],
    ['that cannot be started', new Error('no bash'), 'They could not be started: no bash.'],
  ])('fails by commands %s', async (_what, end, says) => {
    const { context } = await stepWith(hooks, answering(end));
    const error = await thrownBy(() => beforeApplications.run(context));
    expect(error.code).toBe('before-applications-failed');
    expect(error.message).toBe(`"before-applications" failed: ${says}`);
  });

  test('fails by SQL that PostgreSQL refuses, with its words, and runs no command then', async () => {
    const { context, state, asked } = await stepWith(hooks);
    state.refuse = [{ statement: /CREATE TABLE/, message: 'relation "done" already exists' }];
    const error = await thrownBy(() => beforeApplications.run(context));
    expect(error.code).toBe('before-applications-failed');
    expect(error.message).toMatch(/"before-applications-sql" failed: .*ERROR: {2}relation "done" already exists\.$/);
    expect(asked).toEqual([]);
  });
});

test('an error says no piece of the SQL that looks like one', async () => {
  const { context, cluster } = await stepWith(hooks);
  const stderr = `psql:<stdin>:2: ERROR:  syntax error\nLINE 1: SELECT 'ERROR:  hunter2' x y\n        ^\n`;
  cluster.onExec = () => ({ exitCode: 3, stdout: '', stderr });
  const error = await thrownBy(() => beforeApplications.run(context));
  expect(error.message).toBe('"before-applications-sql" failed: psql:<stdin>:2: ERROR:  syntax error.');
});

test('an error in another language is the first that psql tells of the SQL', async () => {
  const { context, cluster } = await stepWith(hooks);
  cluster.onExec = () => ({ exitCode: 3, stdout: '', stderr: 'psql:<stdin>:2: FEHLER:  nein\nZEILE 1: geheim\n' });
  const error = await thrownBy(() => beforeApplications.run(context));
  expect(error.message).toBe('"before-applications-sql" failed: psql:<stdin>:2: FEHLER:  nein.');
});

test('SQL that fails tells all of its output in the log, and no piece of the SQL in the error', async () => {
  const { context, log, cluster } = await stepWith(hooks);
  const stderr = `psql:<stdin>:2: ERROR:  no such role\nLINE 1: ALTER ROLE x PASSWORD 'hunter2'\n        ^\n`;
  cluster.onExec = () => ({ exitCode: 3, stdout: 'row 1\n', stderr });
  const error = await thrownBy(() => beforeApplications.run(context));
  expect(error.message).toBe('"before-applications-sql" failed: psql:<stdin>:2: ERROR:  no such role.');
  expect(log.lines).toEqual(expect.arrayContaining(['> row 1', '> psql:<stdin>:2: ERROR:  no such role']));
});

describe('the environment of the commands', () => {
  const variables = async (given: Readonly<Record<string, string>>) => {
    const { context, asked } = await stepWith({ 'before-applications': 'x', 'after-applications': 'x', ...given });
    await beforeApplications.run(context);
    await afterApplications.run(context);
    return asked.map((one) => one.variables);
  };

  test('has names, addresses and versions', async () => {
    const [before, after] = await variables({});
    expect(before).toEqual({
      UPGRADE_HOOK: 'before-applications',
      UPGRADE_CLUSTER: 'https://cluster.example:6443 (context test)',
      UPGRADE_NAMESPACE: namespace,
      UPGRADE_RELEASE: expect.any(String),
      UPGRADE_STATEFULSET: 'postgresql',
      UPGRADE_POD: 'postgresql-0',
      UPGRADE_IMAGE: newImage,
      UPGRADE_BACKUP: '',
      UPGRADE_VERSION_BEFORE: '12',
      UPGRADE_VERSION_AFTER: '14',
      PGHOST: `postgresql-0.postgresql-hl.${namespace}.svc`,
      PGPORT: '5432',
      PGUSER: 'postgres',
      PGDATABASE: 'postgres',
    });
    expect(after).toEqual({ ...before, UPGRADE_HOOK: 'after-applications' });
  });

  test('has the password by consent alone', async () => {
    for (const one of await variables({})) expect(JSON.stringify(one)).not.toContain(password);
    for (const one of await variables({ 'hook-password': 'true' })) expect(one['PGPASSWORD']).toBe(password);
  });
});

/** An upgrade with hooks, whose story is told. */
async function told(ends: Readonly<Record<string, CommandsEnd>>, given: Readonly<Record<string, string>> = hooks) {
  const setting = await live({ [jobName]: ending(0), [revertName]: served('link') }, given);
  const story: string[] = [];
  setting.cluster.hooks.push(({ method, resource, name, body }) => {
    const isStart = JSON.stringify(body ?? '').includes('/spec/replicas","value":3');
    if (method === 'patch' && resource === 'deployments' && name === 'frontend' && isStart) story.push('restart');
  });
  const runCommands = ({ script }: Commands) => {
    story.push(script);
    return Promise.resolve(ends[script] ?? { exitCode: 0 });
  };
  Object.assign(setting.context, { runCommands });
  return { ...setting, story };
}

describe('an upgrade with hooks', () => {
  test('runs them around the restart of the applications', async () => {
    const setting = await told({});
    const results = await setting.begin();
    expect(setting.story).toEqual(['before', 'restart', 'after']);
    expect(results.unwell).toBeUndefined();
    expect(setting.log.groups).toEqual(
      expect.arrayContaining(['Run before-applications', 'Restart the applications', 'Run after-applications']),
    );
  });

  test.each(['commands', 'SQL'])(
    'restores PostgreSQL 12 where its %s fail before the restart, and proposes nothing for PostgreSQL 14',
    async (what) => {
      const setting = await told(what === 'commands' ? { before: { exitCode: 1 } } : {});
      if (what === 'SQL') setting.state.refuse = [{ statement: /public\.done/, message: 'no' }];
      const error = await thrownBy(setting.begin);
      expect(error.code).toBe('reverted');
      expect(error.message).toContain('Run before-applications: "before-applications');
      expect(setting.story).toEqual(what === 'commands' ? ['before', 'restart'] : ['restart']);
      expect([setting.image(), setting.replicas(), setting.journal()?.['outcome']]).toEqual([oldImage, 3, 'reverted']);
      expect(setting.context.results.validated).toBe(false);
    },
  );

  test('does not revert while applications that somebody else started may write', async () => {
    const setting = await told({ before: { exitCode: 1 } }, { 'before-applications': 'before' });
    scaleUpMeanwhile(setting);
    expect((await thrownBy(setting.begin)).code).toBe('let-in-by-others');
    expect(setting.image()).toBe(newImage);
  });

  test('notes them also where it would not revert, so that a rollback asks for consent', async () => {
    const given = { 'before-applications': 'before', backup: 'external', 'confirm-external-backup': namespace };
    const setting = await told({ before: { exitCode: 1 } }, given);
    scaleUpMeanwhile(setting);
    expect((await thrownBy(setting.begin)).code).toBe('let-in-by-others');
    expect(setting.journal()?.['letIn']).toContain('frontend');
  });

  test('reverts nothing where nothing could restore PostgreSQL 12, and the next run repeats the hook', async () => {
    const given = { 'before-applications': 'before', backup: 'external', 'confirm-external-backup': namespace };
    const setting = await told({ before: { exitCode: 1 } }, given);
    const error = await thrownBy(setting.begin);
    expect(error.code).toBe('before-applications-left');
    expect(error.remedy.text).toContain('run "mode: upgrade" again');
    expect([setting.image(), setting.replicas(), setting.journal()?.['back']]).toEqual([newImage, 0, undefined]);
    const journal = await Journal.find(setting.cluster, namespace, seal);
    if (journal === undefined) throw new Error('there is no journal');
    const again = { ...anotherRun(setting, setting.cluster, setting.context.target), inputs: inputs(given) };
    const runCommands = () => Promise.resolve({ exitCode: 0 });
    expectCompleted(await resumeUpgrade({ ...again, runCommands }, journal));
    expect([setting.image(), setting.replicas()]).toEqual([newImage, 3]);
  });

  test('begins its commands when the pod is ready, since the Service has it only then', async () => {
    const setting = await told({}, { 'before-applications': 'before' });
    const states: (boolean | undefined)[] = [];
    const { runCommands } = setting.context;
    Object.assign(setting.context, {
      runCommands: (commands: Commands) => {
        const pod = setting.cluster.look('pods', 'postgresql-0', namespace);
        states.push(pod && isReady(pod));
        return runCommands(commands);
      },
    });
    let looks = 0;
    const container = { name: 'postgresql', image: newImage, imageID: '', ready: false, restartCount: 0 };
    setting.cluster.hooks.push(({ resource }) => {
      const pod = setting.cluster.look('pods', 'postgresql-0', namespace);
      if (resource !== 'pods' || pod?.spec?.containers[0]?.image !== newImage) return;
      looks++;
      if (looks === 1)
        setting.cluster.put('pods', {
          ...pod,
          status: { phase: 'Running', containerStatuses: [{ ...container, state: { running: {} } }] },
        });
      if (looks === 30) setting.cluster.put('pods', { ...pod, status: serverPod(newImage).status ?? {} });
    });
    await setting.begin();
    expect(states).toEqual([true]);
  });

  test('is complete where the commands fail afterwards: the failure says how to go back', async () => {
    const setting = await told({ after: { exitCode: 7 } });
    const { unwell } = await setting.begin();
    expect([setting.image(), setting.replicas(), setting.journal()?.['outcome']]).toEqual([newImage, 3, 'upgraded']);
    expect(unwell?.code).toBe('after-applications-failed');
    expect(unwell?.message).toContain('"after-applications" failed: They ended with exit code 7.');
    expect(unwell?.remedy.text).toContain(`Run "mode: rollback" with "confirm: ${namespace}"`);
    // At once, since the statistics may take hours.
    const atOnce = setting.log.annotations.find(({ title }) => title === 'after-applications');
    expect(atOnce?.level).toBe('error');
    expect(setting.journal()?.['statistics']).toBe('complete');
  });

  test('does not run the commands where not all applications are ready', async () => {
    const setting = await told({}, { ...hooks, 'rollout-timeout': '10s' });
    setting.cluster.hooks.push(() => {
      const now = setting.cluster.look('deployments', 'frontend', namespace);
      if (now?.spec?.replicas === 3 && setting.image() === newImage)
        setting.cluster.put('deployments', { ...now, status: { observedGeneration: 1, replicas: 3 } });
    });
    expect((await thrownBy(setting.begin)).code).toBe('applications-not-back');
    expect(setting.story).toEqual(['before', 'restart']);
    expect(setting.context.results.warnings).toContainEqual(
      expect.stringContaining('did not run "after-applications"'),
    );
  });
});

/** Somebody else starts applications while commands run. */
function scaleUpMeanwhile(setting: Setting): void {
  const { runCommands } = setting.context;
  Object.assign(setting.context, {
    runCommands: (commands: Commands) => {
      scaleUp(setting);
      return runCommands(commands);
    },
  });
}

function scaleUp({ cluster }: Setting): void {
  const now = cluster.peek('deployments', 'frontend', namespace);
  if (now?.spec !== undefined) cluster.put('deployments', { ...now, spec: { ...now.spec, replicas: 3 } });
}
