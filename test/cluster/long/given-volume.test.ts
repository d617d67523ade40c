/** @jest-environment ./test/cluster/bench-environment.ts */
// A volume that somebody has kept, and that is free: Kubernetes gives it to the claim for the copy of the backup.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { runAction, type ActionEnd } from '../action.ts';
import { apply, kubectl, kubectlJson, namespace, psql, reset } from '../bench.ts';
import { expectNoLoss } from '../no-loss.ts';
import { replicas, statefulSet } from '../server.ts';
import { waitFor } from '../wait-for.ts';

jest.setTimeout(15 * 60_000);

const upgrade = { namespace, mode: 'upgrade', confirm: namespace, probes: 'none' };
const theirs = 'kept-by-somebody';

interface Volume {
  readonly metadata: { readonly uid: string };
  readonly spec: {
    readonly persistentVolumeReclaimPolicy: string;
    readonly claimRef?: { readonly name: string; readonly uid: string };
  };
}

let before: ReturnType<typeof replicas>;
let name: string;
let kept: Volume;
let end: ActionEnd;

const volume = () => kubectlJson('get', 'pv', name) as Volume;

/** A pod that has the claim as /kept, until it has ended. */
async function onVolume(claimName: string, command: readonly string[]): Promise<string> {
  const { image } = statefulSet(namespace);
  const container = { name: 'it', image, command, volumeMounts: [{ name: 'kept', mountPath: '/kept' }] };
  const spec = {
    ...{ restartPolicy: 'Never', terminationGracePeriodSeconds: 0, securityContext: { runAsUser: 0 } },
    ...{
      imagePullSecrets: [{ name: 'regcred' }],
      containers: [container],
      volumes: [{ name: 'kept', persistentVolumeClaim: { claimName } }],
    },
  };
  apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: claimName, namespace }, spec });
  const phase = () => kubectl('-n', namespace, 'get', 'pod', claimName, '-o', 'jsonpath={.status.phase}');
  await waitFor(`the pod on claim ${claimName}`, () => phase() === 'Succeeded');
  const log = kubectl('-n', namespace, 'logs', claimName);
  kubectl('-n', namespace, 'delete', 'pod', claimName);
  return log.trim();
}

function claimOf(volumeName?: string): void {
  const of = kubectlJson('-n', namespace, 'get', 'pvc', 'data-postgresql-0') as {
    readonly spec: { readonly storageClassName: string; readonly resources: object };
  };
  const { storageClassName, resources } = of.spec;
  const spec = { accessModes: ['ReadWriteOnce'], storageClassName, resources, volumeName };
  apply({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: theirs, namespace }, spec });
}

/** Keeps the volume, and makes it free. */
function free(): void {
  kubectl('patch', 'pv', name, '-p', '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}');
  kubectl('-n', namespace, 'delete', 'pvc', theirs);
  kubectl('patch', 'pv', name, '--type=json', '-p', '[{"op":"remove","path":"/spec/claimRef"}]');
}

beforeAll(async () => {
  reset();
  before = replicas(namespace);
  claimOf();
  await onVolume(theirs, ['sh', '-c', 'echo theirs >/kept/mark']);
  name = kubectl('-n', namespace, 'get', 'pvc', theirs, '-o', 'jsonpath={.spec.volumeName}');
  free();
  kept = volume();
  end = await runAction(upgrade);
});

afterAll(() => {
  kubectl('-n', namespace, 'delete', 'pvc', theirs, '--ignore-not-found');
  kubectl('delete', 'pv', name, '--ignore-not-found');
});

describe('an upgrade whose claim for the copy is given a volume of somebody else', () => {
  test('takes it for no copy, and says so', () => {
    expect([end.exitCode, end.outputs['verdict']]).toEqual([1, 'reverted']);
    expect(end.report.error?.message).toContain(
      `the free PersistentVolume ${name}, which existed before and is no copy`,
    );
  });

  test('has stopped nothing: PostgreSQL 12 serves, with every change', () => {
    expect(psql(namespace, 'postgres', 'SHOW server_version')).toBe('12.22');
    expect(replicas(namespace)).toEqual(before);
    expectNoLoss(namespace);
  });

  test('keeps the volume, with what is on it', async () => {
    expect(volume()).toMatchObject({
      metadata: { uid: kept.metadata.uid },
      spec: { persistentVolumeReclaimPolicy: 'Retain' },
    });
    const { claimRef } = volume().spec;
    // The claim for the copy is gone by then.
    if (claimRef !== undefined)
      kubectl('patch', 'pv', name, '--type=json', '-p', '[{"op":"remove","path":"/spec/claimRef"}]');
    claimOf(name);
    expect(await onVolume(theirs, ['cat', '/kept/mark'])).toBe('theirs');
  });

  test('the next run upgrades: the volume is free no more', async () => {
    end = await runAction({ ...upgrade }, { GITHUB_RUN_ATTEMPT: '2' });
    expect([end.exitCode, end.outputs['verdict']]).toEqual([0, 'upgraded']);
    expectNoLoss(namespace);
  });
});
