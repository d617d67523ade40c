import { describe, expect, test } from '@jest/globals';
import type { V1ContainerState, V1Pod } from '@kubernetes/client-node';
import { CancelledError, WaitError } from '../../../src/common/errors.ts';
import { followToEnd, waitForStart } from '../../../src/job/follow-job.ts';
import { FakeClock } from '../fake-clock.ts';
import { FakeCluster } from '../fake-cluster.ts';
import { FakeLog } from '../fake-runner.ts';
import { namespace } from '../objects.ts';
import { thrownBy } from '../thrown.ts';

const job = { metadata: { name: 'upgrade', namespace, uid: 'uid-of-job' } };
const limits = { start: 60_000, end: 600_000 };
const message = JSON.stringify({
  schema: 1,
  command: 'upgrade',
  outcome: 'upgraded',
  state: 'new',
  step: 'swap',
  message: 'done',
});

function pod(state: V1ContainerState | undefined, controller = 'uid-of-job', name = 'upgrade-abc'): V1Pod {
  const status = { name: 'pg-upgrade', image: '', imageID: '', ready: false, restartCount: 0 };
  return {
    metadata: { name, namespace, labels: { 'batch.kubernetes.io/controller-uid': controller } },
    status: state === undefined ? { phase: 'Pending' } : { containerStatuses: [{ ...status, state }] },
  };
}

const running = pod({ running: {} });
const ended = pod({ terminated: { exitCode: 0, reason: 'Completed', message } });

/** A cluster in which the next thing happens at each pause. */
function setUp(...events: ((cluster: FakeCluster) => void)[]) {
  const cluster = new FakeCluster().put('jobs', job);
  const clock = new FakeClock();
  const log = new FakeLog();
  const cancelled = new AbortController();
  clock.meanwhile = () => events.shift()?.(cluster);
  const surroundings = { cluster, clock, log, signal: cancelled.signal };
  const follow = async () => followToEnd(surroundings, await waitForStart(surroundings, job, limits.start), limits.end);
  return { cluster, clock, log, cancelled, follow };
}

const put = (object: V1Pod) => (cluster: FakeCluster) => {
  cluster.put('pods', object);
};

describe('following a Job', () => {
  test('waits for its pod, then for its end, and reads the result', async () => {
    const { follow } = setUp(put(pod(undefined)), put(running), put(ended));
    expect(await follow()).toMatchObject({ exitCode: 0, reason: 'Completed', result: { outcome: 'upgraded' } });
  });

  test('a Job that failed at once is told at once', async () => {
    const { follow, clock, cluster } = setUp();
    cluster.put('pods', pod({ terminated: { exitCode: 2, reason: 'Error', message } }));
    expect(await follow()).toMatchObject({ exitCode: 2, reason: 'Error' });
    expect(clock.monotonic()).toBeLessThan(2000);
  });

  test('the pod of an earlier Job of that name is not followed', async () => {
    const { follow, cluster } = setUp(put(running), put(ended));
    cluster.put('pods', pod({ terminated: { exitCode: 1, reason: 'Error' } }, 'uid-of-earlier-job', 'upgrade-old'));
    expect(await follow()).toMatchObject({ exitCode: 0 });
  });

  test('prints two lines of the same moment', async () => {
    const { follow, log, cluster } = setUp();
    cluster.put('pods', ended);
    cluster.onLog = () => '2026-01-02T03:04:05Z one\n2026-01-02T03:04:05Z two\n';
    await follow();
    expect(log.text).toContain('one');
    expect(log.text).toContain('two');
  });

  test('prints each line once, although the API server repeats those of the last second', async () => {
    const lines = [
      '2026-01-02T03:04:05.000000001Z first',
      '2026-01-02T03:04:05.500000000Z second  with  spaces',
      '2026-01-02T03:04:06.000000000Z ',
      '2026-01-02T03:04:06.900000000Z third',
    ];
    let written = 0;
    const next = (cluster: FakeCluster) => {
      written++;
      cluster.put('pods', written < lines.length ? running : ended);
    };
    const { follow, log, cluster } = setUp(next, next, next, next);
    const since: (string | undefined)[] = [];
    cluster.onLog = (_pod, sinceTime) => {
      since.push(sinceTime);
      const second = sinceTime?.slice(0, 19) ?? '';
      return lines
        .slice(0, written)
        .filter((line) => line.slice(0, 19) >= second)
        .map((line) => `${line}\n`)
        .join('');
    };
    await follow();
    const printed = log.lines.filter((line) => !line.startsWith('Waiting for'));
    expect(printed).toEqual(['first', 'second  with  spaces', '', 'third']);
    expect(since.at(-1)).toBeDefined();
  });

  test('the stage that the log has told last is told again once a minute, with the limit', async () => {
    const { follow, log, cluster, clock } = setUp();
    cluster.put('pods', running);
    cluster.onLog = () =>
      [
        '==> [3/8] Initialising the new cluster',
        '    1.234 s',
        '==> [4/8] pg_upgrade --link',
        'Creating dump of global objects',
      ]
        .map((line, index) => `2026-01-02T03:04:0${String(index)}.000000000Z ${line}\n`)
        .join('');
    clock.meanwhile = (elapsed) => {
      if (elapsed > 130_000) cluster.put('pods', ended);
    };
    await follow();
    expect(log.lines.filter((line) => line.startsWith('Still'))).toEqual([
      expect.stringMatching(
        /^Still waiting for pod \S+ to end: \[4\/8\] pg_upgrade --link \(6\d s, at most \d+ \w+\)$/,
      ),
      expect.stringMatching(/^Still waiting for pod \S+ to end: \[4\/8\] pg_upgrade --link \(2 min, at most/),
    ]);
  });

  test('a log that can not be read ends nothing', async () => {
    const { follow, cluster } = setUp(put(running), put(ended));
    cluster.refuse('podLog', 'pods', 500, 'the kubelet does not answer');
    expect(await follow()).toMatchObject({ exitCode: 0 });
  });

  test('a log that hangs keeps nobody from seeing the end', async () => {
    let giveUp: () => void = () => undefined;
    const answers = [
      new Promise<string>((_resolve, reject) => {
        giveUp = () => {
          reject(new Error('no whole answer within 10 s'));
        };
      }),
      Promise.resolve('2026-01-02T03:04:05.000000001Z done\n'),
    ];
    const wait = () => undefined;
    const { follow, cluster, log } = setUp(put(running), wait, wait, (at) => {
      put(ended)(at);
      giveUp();
    });
    cluster.podLog = () => answers.shift() ?? Promise.resolve('');
    expect(await follow()).toMatchObject({ exitCode: 0 });
    expect(log.lines).toContain('done');
  });

  test('prints what came last also when the container has ended', async () => {
    const { follow, cluster, log } = setUp();
    cluster.put('pods', ended);
    cluster.onLog = () => '2026-01-02T03:04:05.000000001Z FAILED: no space\n';
    await follow();
    expect(log.text).toContain('FAILED: no space');
  });

  test('a pod that is deleted has ended without a result', async () => {
    const { follow } = setUp(put(running), (cluster) => {
      cluster.remove('pods', 'upgrade-abc', namespace);
    });
    const end = await follow();
    expect(end).toMatchObject({ exitCode: -1, result: undefined });
    expect(end.reason).toContain('upgrade-abc was deleted');
  });

  test('a container that was killed leaves no result', async () => {
    const { follow } = setUp(put(running), put(pod({ terminated: { exitCode: 137, reason: 'OOMKilled' } })));
    expect(await follow()).toEqual({ exitCode: 137, reason: 'OOMKilled', result: undefined });
  });

  test('a pod that was evicted has ended so, also when it is gone by then', async () => {
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'EvictionByEvictionAPI',
      message: 'evicting',
    };
    const evicted = { ...running, status: { ...running.status, conditions: [condition] } };
    const { follow } = setUp(put(running), put(evicted), (cluster) => {
      cluster.remove('pods', 'upgrade-abc', namespace);
    });
    expect((await follow()).disruption).toContain('EvictionByEvictionAPI: evicting');
  });

  describe('a node that has stopped reporting', () => {
    const silent: V1Pod = {
      ...running,
      spec: { nodeName: 'node-b', containers: [] },
      status: {
        ...running.status,
        conditions: [
          { type: 'Ready', status: 'False' },
          { type: 'ContainersReady', status: 'True' },
        ],
      },
    };

    test('ends the wait long before its limit: nobody can tell whether the Job runs', async () => {
      const { follow, clock, cluster, log } = setUp(put(running), put(silent));
      const error = await thrownBy(follow);
      expect(error.code).toBe('node-silent');
      expect(error.message).toMatch(/node-b .* upgrade-abc/);
      expect(error.remedy.text).toContain(
        'kubectl taint nodes node-b node.kubernetes.io/out-of-service=nodeshutdown:NoExecute',
      );
      expect(clock.monotonic()).toBeGreaterThan(100_000);
      expect(clock.monotonic()).toBeLessThan(limits.end / 2);
      expect(cluster.writes).toEqual([]);
      expect(log.text).toContain('node-b');
    });

    test('that reports again is gone on with', async () => {
      const later = (object: V1Pod) => Array.from({ length: 100 }, () => put(object));
      const { follow } = setUp(...later(silent), put(running), ...later(silent), put(ended));
      expect(await follow()).toMatchObject({ exitCode: 0 });
    });
  });

  test('an image that can not be pulled ends the wait at once', async () => {
    const reason = { waiting: { reason: 'ImagePullBackOff', message: 'pull access denied for upgrade' } };
    const { follow, clock } = setUp(put(pod(reason)));
    const error = await thrownBy(follow);
    expect(error.code).toBe('job-cannot-start');
    expect(error.message).toContain('pull access denied');
    expect(clock.monotonic()).toBeLessThan(2000);
  });

  test('a Job without a pod says why, by its last event', async () => {
    const { follow, cluster, log } = setUp();
    const involvedObject = { kind: 'Job', name: 'upgrade' };
    cluster.put('events', {
      metadata: { name: 'event', namespace },
      involvedObject,
      message: 'Error creating: pods "upgrade-" is forbidden: exceeded quota',
    });
    const error = await thrownBy(follow);
    expect(error).toBeInstanceOf(WaitError);
    expect(error.message).toContain('exceeded quota');
    expect(error.remedy.text).toContain('`job-start-timeout`');
    expect(log.text).toContain('exceeded quota');
  });

  test('a pod that does not get its volume says why, by its newest warning', async () => {
    const waiting = pod({ waiting: { reason: 'ContainerCreating' } });
    const { name = '' } = waiting.metadata ?? {};
    const { follow, cluster } = setUp(put({ ...waiting, metadata: { ...waiting.metadata, uid: 'this-pod' } }));
    const event = (id: string, type: string, at: string, message: string, more = {}) => {
      const involvedObject = { kind: 'Pod', name, uid: 'this-pod' };
      const lastTimestamp = new Date(at);
      cluster.put('events', {
        metadata: { name: id, namespace },
        involvedObject,
        type,
        lastTimestamp,
        message,
        ...more,
      });
    };
    event('a', 'Warning', '2026-01-02T00:00:09Z', 'AttachVolume.Attach failed for volume "pv-1": not allowed here');
    event('b', 'Warning', '2026-01-02T00:00:01Z', 'an older one');
    event('c', 'Normal', '2026-01-02T00:00:10Z', 'Successfully assigned');
    event('d', 'Warning', '2026-01-02T00:00:11Z', 'kubelet has no ClusterDNS IP', { reason: 'MissingClusterDNS' });
    const earlier = { involvedObject: { kind: 'Pod', name, uid: 'former-pod' } };
    event('e', 'Warning', '2026-01-02T00:00:12Z', 'Readiness probe failed', earlier);
    const error = await thrownBy(follow);
    expect(error).toBeInstanceOf(WaitError);
    expect(error.message).toContain(
      `ContainerCreating: event "AttachVolume.Attach failed for volume 'pv-1': not allowed here"`,
    );
  });

  test('at its limit the wait ends, and the Job is left alone', async () => {
    const { follow, cluster } = setUp(put(running));
    const error = await thrownBy(follow);
    expect(error).toBeInstanceOf(WaitError);
    expect(error.remedy.text).toContain('`job-timeout`');
    expect(cluster.writes).toEqual([]);
  });

  test('a cancellation ends the wait, and the Job is left alone', async () => {
    const { follow, cluster, cancelled } = setUp(put(running), () => {
      cancelled.abort();
    });
    expect(await thrownBy(follow)).toBeInstanceOf(CancelledError);
    expect(cluster.writes).toEqual([]);
  });
});
