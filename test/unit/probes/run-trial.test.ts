import { describe, expect, test } from '@jest/globals';
import type { V1ContainerState } from '@kubernetes/client-node';
import { runTrial } from '../../../src/probes/run-trial.ts';
import { trialPod } from '../../../src/probes/trial-pod.ts';
import { FakeClock } from '../fake-clock.ts';
import { fakeDatabase, serverState } from '../fake-database.ts';
import { FakeLog } from '../fake-runner.ts';
import { cluster, namespace, newImage, target } from '../objects.ts';
import { thrownBy } from '../thrown.ts';

/** A trial whose container comes to this state; psql is refused so many times before the server answers. */
async function trying(state: V1ContainerState, refusals = 0, log = '') {
  const from = cluster();
  const found = await target();
  const database = fakeDatabase(from, found, serverState());
  const answer = from.onExec;
  let left = refusals;
  from.onExec = (command, stdin) =>
    left-- > 0 ? { exitCode: 2, stdout: '', stderr: 'psql: error: No such file or directory' } : answer(command, stdin);
  from.onLog = () => log;
  const status = { name: 'postgresql', image: '', imageID: '', ready: false, restartCount: 0, state };
  from.hooks.push((call) => {
    const pod = call.method === 'find' ? from.peek('pods', call.name, namespace) : undefined;
    if (pod?.metadata?.name?.includes('-start-')) from.put('pods', { ...pod, status: { containerStatuses: [status] } });
  });
  const surroundings = {
    cluster: from,
    clock: new FakeClock(),
    log: new FakeLog(),
    signal: new AbortController().signal,
  };
  const run = () => runTrial(surroundings, trialPod(found, newImage), database, 60_000);
  const pods = async () => (await from.list('pods', { namespace })).map(({ metadata }) => metadata?.name);
  return { run, pods, calls: from.calls };
}

describe('a trial start', () => {
  test('ends with what the server says, once it answers, and leaves no pod', async () => {
    const { run, pods, calls } = await trying({ running: {} }, 3);
    expect(await run()).toMatchObject({ image: newImage, started: true, configuration: { version: '14.22' } });
    expect(calls.filter((c) => c.method === 'exec').map((c) => c.name)).toEqual(
      Array.from({ length: 4 }, () => expect.stringMatching(/^postgres-upgrade-probe-start-/)),
    );
    expect(await pods()).toEqual(['postgresql-0']);
  });

  test('ends with the error lines of a server that ended', async () => {
    const lines = [
      'LOG:  starting',
      'FATAL:  could not access file "pgaudit": No such file or directory',
      'LOG:  database system is shut down',
    ];
    const log = lines.map((line) => `2026-01-02T03:04:05.000000001Z ${line}\n`).join('');
    const { run, pods } = await trying({ terminated: { exitCode: 1 } }, 0, log);
    expect(await run()).toEqual({ image: newImage, started: false, exitCode: 1, lines: [lines[1]] });
    expect(await pods()).toEqual(['postgresql-0']);
  });

  test('that can not get its image says so, and leaves no pod', async () => {
    const { run, pods } = await trying({ waiting: { reason: 'ErrImagePull', message: 'manifest unknown' } });
    const error = await thrownBy(run);
    expect([error.code, error.message]).toEqual(['image-unusable', expect.stringContaining('manifest unknown')]);
    expect(error.message).toContain('pull secrets: those of service account default');
    expect(error.remedy.text).toContain('postgresql.image.pullSecrets');
    expect(await pods()).toEqual(['postgresql-0']);
  });

  test('whose server neither answers nor ends is given up at the limit', async () => {
    const { run, pods } = await trying({ running: {} }, Infinity);
    const error = await thrownBy(run);
    expect(error.code).toBe('wait-limit');
    expect(error.message).toContain('No such file or directory');
    expect(await pods()).toEqual(['postgresql-0']);
  });
});
