// No wait for the volume to be detached, only where that is safe.
import { describe, expect, test } from '@jest/globals';
import type { V1Container, V1Pod } from '@kubernetes/client-node';
import { answerError } from '../../../src/adapters/api-error.ts';
import { anchorName } from '../../../src/objects/anchor.ts';
import { stopPostgresql } from '../../../src/upgrade/steps/stop-postgresql.ts';
import { namespace, serverPod } from '../objects.ts';
import { thrownBy } from '../thrown.ts';
import { alter, anchor, anchored, attachment, endsWith } from './anchored.ts';
import type { Setting } from './context.ts';

async function expectDetached(setting: Setting, why: string): Promise<void> {
  await stopPostgresql.run(setting.context);
  expect(setting.context.results.isStillAttached).toBeUndefined();
  expect(attachment(setting)).toBeUndefined();
  expect(anchor(setting)).toBeUndefined();
  expect(setting.log.text).toContain(`Removing Job ${anchorName}, so that the volume can leave its node: ${why}`);
}

const running = { name: 'postgresql', image: '', imageID: '', ready: true, restartCount: 0, state: { running: {} } };
const runningPod = { ...serverPod(), status: { phase: 'Running', containerStatuses: [running] } };

/** The server's pod goes in this state, and another one may come. */
function replace(cluster: Setting['cluster'], last: V1Pod, next?: V1Pod): void {
  cluster.put('pods', last).remove('pods', 'postgresql-0', namespace);
  if (next !== undefined) cluster.put('pods', next);
}

/** Nobody has told how its containers ended, if they did. */
function deleteByForce({ cluster }: Setting): void {
  replace(cluster, runningPod);
}

describe('stopping PostgreSQL beside an anchor', () => {
  test('does not wait for the volume to be detached when the server was seen to end cleanly', async () => {
    const setting = await anchored();
    const before = attachment(setting);
    await stopPostgresql.run(setting.context);
    expect(setting.context.results.isStillAttached).toBe(true);
    expect(setting.cluster.peek('pods', 'postgresql-0', namespace)).toBeUndefined();
    expect(attachment(setting)).toBe(before);
    expect(setting.log.text).toContain('PostgreSQL ended cleanly.');
    expect(setting.log.text).not.toContain('to be detached');
  });

  test('does not either when the exit code was missed, and pg_ctl saw the server end', async () => {
    const setting = await anchored();
    alter(setting, 'postgresql-0', (pod) => ({ ...pod, status: { ...pod.status, containerStatuses: [] } }));
    await stopPostgresql.run(setting.context);
    expect(setting.context.results.isStillAttached).toBe(true);
  });

  test.each<[string, (pod: V1Pod) => V1Pod, boolean]>([
    ['cleanly', endsWith(0), true],
    ['by a kill', endsWith(137), false],
    ['after it was started once more', endsWith(0, 1), false],
    ['while its server was at work, since somebody deleted it by force', (pod) => pod, false],
  ])('goes by a watch where the pod was gone between two looks: it ended %s', async (_how, change, isKept) => {
    const setting = await anchored();
    setting.cluster.put('pods', runningPod);
    setting.cluster.hooks.push((call) => {
      if (call.method !== 'patch' || call.resource !== 'statefulsets') return;
      setting.cluster.put('pods', change(runningPod)).remove('pods', 'postgresql-0', namespace);
    });
    if (!isKept) {
      await expectDetached(setting, 'PostgreSQL was not seen to end cleanly');
      return;
    }
    await stopPostgresql.run(setting.context);
    expect(setting.context.results.isStillAttached).toBe(true);
  });

  test('waits for the volume when the pod that ended cleanly was another one than the one that it stopped', async () => {
    const setting = await anchored();
    const { cluster } = setting;
    const next = { ...runningPod, metadata: { ...runningPod.metadata, uid: 'next' } };
    cluster.hooks.push((call) => {
      if (call.method === 'patch' && call.resource === 'statefulsets') replace(cluster, endsWith(0)(runningPod), next);
      if (call.method === 'exec' && (call.body as string[])[0] === 'pg_ctl') replace(cluster, next);
    });
    await expectDetached(setting, 'PostgreSQL was not seen to end cleanly');
  });

  test.each([
    ['its server was killed', endsWith(137)],
    ['its server failed', endsWith(1)],
    ['its server was started once more meanwhile', endsWith(0, 1)],
  ])('waits for the volume when %s', async (_what, change) => {
    const setting = await anchored();
    alter(setting, 'postgresql-0', change);
    await expectDetached(setting, 'PostgreSQL was not seen to end cleanly');
  });

  test('waits for the volume when somebody deleted the pod by force while it was to end', async () => {
    const setting = await anchored();
    setting.cluster.hooks.push((call) => {
      if (call.method !== 'exec' || (call.body as string[])[0] !== 'pg_ctl') return;
      deleteByForce(setting);
      throw answerError('run a command', 500, '{"message":"the connection closed before the command ended"}');
    });
    await expectDetached(setting, 'PostgreSQL was not seen to end cleanly');
  });

  test('waits for the volume when the pod was gone before anybody could see it end', async () => {
    const setting = await anchored();
    setting.state.command = () => {
      deleteByForce(setting);
      return { exitCode: 0, stdout: 'server stopped', stderr: '' };
    };
    await expectDetached(setting, 'PostgreSQL was not seen to end cleanly');
  });

  test('waits for the volume when another run had begun to stop the server', async () => {
    const setting = await anchored();
    setting.cluster.hooks.push((call) => {
      if (call.method === 'patch') setting.cluster.remove('pods', 'postgresql-0', namespace);
    });
    await expectDetached(setting, 'PostgreSQL was not seen to end cleanly');
  });

  test.each<[string, Partial<V1Container>, 'containers' | 'initContainers', boolean]>([
    ['another container of the pod has the volume', {}, 'containers', false],
    ['a sidecar has it', { restartPolicy: 'Always' }, 'initContainers', false],
    ['an init container had it, which has ended', {}, 'initContainers', true],
  ])('when %s', async (_what, more, kind, isKept) => {
    const setting = await anchored();
    const other = { name: 'other', volumeMounts: [{ name: 'data', mountPath: '/data' }], ...more };
    const pod = serverPod();
    const containers = [...(pod.spec?.[kind] ?? []), other];
    setting.cluster.put('pods', { ...pod, spec: { containers: [], ...pod.spec, [kind]: containers } });
    await stopPostgresql.run(setting.context);
    expect(setting.context.results.isStillAttached === true).toBe(isKept);
    expect(anchor(setting) !== undefined).toBe(isKept);
  });

  test.each<[string, string, (pod: V1Pod) => V1Pod | undefined]>([
    ['was evicted', 'does not run as it was made', (pod) => ({ ...pod, status: { phase: 'Failed' } })],
    ['was deleted', 'was deleted', () => undefined],
    [
      'is to go, since its node is drained',
      'does not run as it was made',
      (pod) => ({ ...pod, metadata: { ...pod.metadata, deletionTimestamp: new Date(0) } }),
    ],
    ['is another one', 'was deleted', (pod) => ({ ...pod, metadata: { ...pod.metadata, uid: 'another' } })],
    [
      'was given a container that has the volume',
      'does not run as it was made',
      (pod) => ({
        ...pod,
        spec: {
          containers: [],
          ...pod.spec,
          ephemeralContainers: [{ name: 'debug', volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
        },
      }),
    ],
  ])('waits for the volume when the anchor %s', async (_what, why, change) => {
    const setting = await anchored();
    alter(setting, anchorName, change);
    const { pod } = setting.context.results.anchor ?? {};
    await expectDetached(setting, `pod ${pod ?? ''} ${why}`);
  });

  test('waits for a volume that is on its way to another node', async () => {
    const setting = await anchored();
    setting.cluster.put('volumeattachments', {
      metadata: { name: 'second' },
      spec: { attacher: 'csi.example.com', nodeName: 'node-2', source: { persistentVolumeName: 'pv-1' } },
    });
    setting.clock.meanwhile = () => {
      if (anchor(setting) === undefined) setting.cluster.remove('volumeattachments', 'second');
    };
    await expectDetached(setting, 'the volume is being detached, or is attached to node-2');
  });

  test('is refused where another pod uses the volume, whatever it looks like', async () => {
    const setting = await anchored();
    const copy = setting.cluster.all('pods').find(({ metadata }) => metadata?.name?.startsWith(anchorName));
    setting.cluster.put('pods', { ...copy, metadata: { name: 'another', namespace, uid: 'another' } });
    const error = await thrownBy(() => stopPostgresql.run(setting.context));
    expect(error.code).toBe('volume-in-use');
    expect(error.message).toContain('in use by another.');
  });
});
