import { describe, expect, test } from '@jest/globals';
import { WaitError } from '../../../../src/common/errors.ts';
import { schedulingGate } from '../../../../src/objects/scheduling-gate.ts';
import { stopPostgresql } from '../../../../src/upgrade/steps/stop-postgresql.ts';
import { namespace, oldImage, serverPod, statefulSet } from '../../objects.ts';
import { thrownBy } from '../../thrown.ts';
import { controlStatefulSet, setUp, type Setting } from '../context.ts';

function attach({ cluster }: Setting, volume = 'pv-1', name = 'attachment', node = 'node-1'): void {
  cluster.put('volumeattachments', {
    metadata: { name },
    spec: { attacher: 'csi.example.com', nodeName: node, source: { persistentVolumeName: volume } },
  });
}

/** Does what the StatefulSet controller does at replicas 0: the pod is asked to end, and ends when its server does. */
function terminate({ cluster, clock }: Setting): void {
  clock.meanwhile = () => {
    const pod = cluster.peek('pods', 'postgresql-0', namespace);
    const deletionTimestamp = new Date(0);
    if (pod !== undefined) cluster.put('pods', { ...pod, metadata: { ...pod.metadata, deletionTimestamp } });
  };
}

describe('stopping PostgreSQL', () => {
  test('sets the gate, stops it fast, and waits for pod and attachment to go', async () => {
    const setting = await setUp();
    const commands: (readonly string[])[] = [];
    terminate(setting);
    setting.state.command = (command) => {
      commands.push(command);
      setting.cluster.remove('pods', 'postgresql-0', namespace);
      return { exitCode: 0, stdout: 'server stopped', stderr: '' };
    };
    attach(setting);
    setting.cluster.hooks.push((call) => {
      if (call.resource === 'volumeattachments' && setting.clock.monotonic() > 2000)
        setting.cluster.remove('volumeattachments', 'attachment');
    });
    await stopPostgresql.run(setting.context);
    const now = setting.cluster.peek('statefulsets', 'postgresql', namespace);
    expect(now?.spec?.replicas).toBe(0);
    expect(now?.spec?.template.spec?.schedulingGates).toEqual([{ name: schedulingGate }]);
    expect(commands).toEqual([['pg_ctl', 'stop', '-m', 'fast', '-w', '-t', '300', '-D', '/bitnami/postgresql/data']]);
    expect(setting.log.text).toContain('attached to node node-1');
    expect(setting.clock.monotonic()).toBeGreaterThan(2000);
  });

  test('is refused while a client is connected, which is named', async () => {
    const setting = await setUp();
    setting.state.clients = [
      { pid: 42, database: 'circle', user: 'circle', application: 'api', address: '10.0.0.7', state: 'active' },
    ];
    const error = await thrownBy(() => stopPostgresql.run(setting.context));
    expect(error.code).toBe('client-came-back');
    expect(error.message).toContain('api (user circle, from 10.0.0.7)');
    expect(setting.cluster.writes).toEqual([]);
  });

  test('a connection that breaks with the server is no failure: the Job looks whether the stop was clean', async () => {
    const setting = await setUp();
    controlStatefulSet(setting);
    setting.cluster.hooks.push((call) => {
      if (call.method === 'exec' && (call.body as string[])[0] === 'pg_ctl')
        setting.cluster.refuse('exec', 'pods', 500, 'the connection closed before the command ended');
    });
    await stopPostgresql.run(setting.context);
    expect(setting.cluster.peek('pods', 'postgresql-0', namespace)).toBeUndefined();
  });

  test('stops nothing before the pod is terminating: its container would be started once more', async () => {
    const setting = await setUp(undefined, { 'shutdown-timeout': '20s' });
    const commands: (readonly string[])[] = [];
    setting.state.command = (command) => {
      commands.push(command);
      return { exitCode: 0, stdout: '', stderr: '' };
    };
    const error = await thrownBy(() => stopPostgresql.run(setting.context));
    expect(error).toBeInstanceOf(WaitError);
    expect(error.message).toContain('pod postgresql-0 to be terminating');
    expect(commands).toEqual([]);
  });

  test('a pod that does not go ends it; it is never deleted by force', async () => {
    const setting = await setUp(undefined, { 'shutdown-timeout': '20s' });
    terminate(setting);
    const error = await thrownBy(() => stopPostgresql.run(setting.context));
    expect(error).toBeInstanceOf(WaitError);
    expect(error.message).toContain('pod postgresql-0 to end');
    expect(error.remedy.text).toContain('`shutdown-timeout`');
    expect(setting.cluster.writes).toEqual(['patch statefulsets/postgresql']);
  });

  test('a volume that stays attached ends it, with each node', async () => {
    const setting = await setUp(undefined, { 'detach-timeout': '20s' });
    setting.cluster.remove('pods', 'postgresql-0', namespace);
    attach(setting);
    attach(setting, 'pv-1', 'second', 'node-2');
    attach(setting, 'pv-2', 'foreign', 'node-3');
    const error = await thrownBy(() => stopPostgresql.run(setting.context));
    expect(error).toBeInstanceOf(WaitError);
    expect(error.message).toContain('attached to node node-1, attached to node node-2');
    expect(error.message).not.toContain('node-3');
    expect(error.remedy.text).toContain('`detach-timeout`');
  });

  test('attachments that may not be listed are not taken for "detached"', async () => {
    const setting = await setUp();
    controlStatefulSet(setting);
    setting.cluster.refuse('list', 'volumeattachments', 403, 'volumeattachments.storage.k8s.io is forbidden');
    const error = await thrownBy(() => stopPostgresql.run(setting.context));
    expect(error.code).toBe('forbidden');
  });

  test('another pod on the volume ends it', async () => {
    const setting = await setUp();
    controlStatefulSet(setting);
    const pod = serverPod();
    setting.cluster.put('pods', { ...pod, metadata: { name: 'debug', namespace } });
    const error = await thrownBy(() => stopPostgresql.run(setting.context));
    expect(error.code).toBe('volume-in-use');
    expect(error.message).toContain('data-postgresql-0 is in use by debug');
  });

  test('a gated pod that somebody asks for meanwhile is not the one that is waited for', async () => {
    const setting = await setUp();
    terminate(setting);
    setting.state.command = () => {
      const pod = serverPod();
      setting.cluster.put('pods', {
        ...pod,
        metadata: { ...pod.metadata, uid: 'another' },
        spec: { containers: [], ...pod.spec, schedulingGates: [{ name: schedulingGate }] },
        status: { phase: 'Pending' },
      });
      return { exitCode: 0, stdout: '', stderr: '' };
    };
    await stopPostgresql.run(setting.context);
    expect(setting.clock.monotonic()).toBeLessThan(1000);
  });
});

describe('taking the stop back', () => {
  const undo = async ({ context }: Setting) => {
    await stopPostgresql.undo?.(context);
  };

  test('starts the old image and asks the server for its version', async () => {
    const setting = await setUp();
    controlStatefulSet(setting);
    await stopPostgresql.run(setting.context);
    await undo(setting);
    const now = setting.cluster.peek('statefulsets', 'postgresql', namespace);
    expect(now).toEqual({ ...statefulSet(), metadata: now?.metadata });
    expect(now?.spec?.template.spec?.containers[0]?.image).toBe(oldImage);
    expect(setting.log.text).toContain('PostgreSQL 12.16 answers');
  });

  test('of a stop that never came to its end is nothing but the scheduling gate', async () => {
    const setting = await setUp();
    await undo(setting);
    expect(setting.cluster.peek('pods', 'postgresql-0', namespace)).toBeDefined();
  });

  test('is not done when another server answers', async () => {
    const setting = await setUp();
    setting.state.version = '14.22';
    const error = await thrownBy(() => undo(setting));
    expect(error.code).toBe('wrong-server');
    expect(error.message).toContain('14.22');
  });

  test('is told within seconds when the server does not start, with the end of its log', async () => {
    const setting = await setUp();
    const pod = serverPod();
    const status = { name: 'postgresql', image: '', imageID: '', ready: false, restartCount: 2 };
    setting.cluster.put('pods', { ...pod, status: { phase: 'Running', containerStatuses: [status] } });
    setting.cluster.onLog = () => 'starting\nFATAL:  could not open file "global/pg_control"\n';
    const error = await thrownBy(() => undo(setting));
    expect(error.code).toBe('server-does-not-start');
    expect(error.message).toContain('could not open file "global/pg_control"');
    expect(error.remedy.text).toContain('logs postgresql-0');
    expect(setting.clock.monotonic()).toBeLessThan(5000);
  });

  test('waits for the pod of the newest template, not for the former one that is still ready', async () => {
    const setting = await setUp(undefined, { 'start-timeout': '20s' });
    const pod = serverPod();
    const labels = { ...pod.metadata?.labels, 'controller-revision-hash': 'former' };
    setting.cluster.put('pods', { ...pod, metadata: { ...pod.metadata, labels } });
    const error = await thrownBy(() => undo(setting));
    expect(error.message).toContain('the former pod still exists');
    expect(error.remedy.text).toContain('`start-timeout`');
  });
});
