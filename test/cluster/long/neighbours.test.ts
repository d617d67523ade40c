/** @jest-environment ./test/cluster/bench-environment.ts */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { runAction, saysInLog, startAction, type ActionEnd } from '../action.ts';
import { apply, AuditLog, bench, callName, kubectl, kubectlJson, namespace, psql } from '../bench.ts';
import { expectNoLoss } from '../no-loss.ts';
import { replicas, statefulSet } from '../server.ts';
import { waitFor } from '../wait-for.ts';

jest.setTimeout(15 * 60_000);

const upgrade = { namespace, mode: 'upgrade', confirm: namespace };
const paused = 'autoscaling.keda.sh/paused';
const scaler = 'frontend-scaler';

/** What others have installed, as far as the API server goes: their controllers are played by the tests. */
const definitions = [
  definition('argoproj.io', 'v1alpha1', 'Application', 'applications'),
  definition('keda.sh', 'v1alpha1', 'ScaledObject', 'scaledobjects'),
];

const application = (syncPolicy: object) => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'circleci', namespace },
  spec: { syncPolicy },
});

const scaledObject = {
  apiVersion: 'keda.sh/v1alpha1',
  kind: 'ScaledObject',
  metadata: { name: scaler, namespace, annotations: { 'example.com/team': 'edge' } },
  spec: { scaleTargetRef: { name: 'frontend' }, triggers: [] },
};

let before: ReturnType<typeof replicas>;
let operator: Operator;

beforeAll(async () => {
  bench('reset', '--namespace', namespace);
  before = replicas(namespace);
  apply(...definitions);
  kubectl('wait', '--for=condition=Established', 'crd/applications.argoproj.io', 'crd/scaledobjects.keda.sh');
  apply(scaledObject, application({ automated: { selfHeal: true } }));
  operator = new Operator();
  await operator.hasSeen('False');
});

afterAll(async () => {
  await operator.stop();
  kubectl('delete', 'crd', 'applications.argoproj.io', 'scaledobjects.keda.sh');
});

test('an Application of Argo CD that syncs by itself is a reason not to begin, with the command that pauses it', async () => {
  kubectl(
    '-n',
    namespace,
    'annotate',
    'statefulset/postgresql',
    `argocd.argoproj.io/tracking-id=circleci:apps/StatefulSet:${namespace}/postgresql`,
  );
  const audit = new AuditLog();
  const end = await runAction({ ...upgrade, probes: 'none' });
  expect(end.report.error).toMatchObject({ code: 'precheck-blocks' });
  expect(end.report.error?.message).toContain('gitops (failed)');
  const gitops = end.report.findings.find(({ check }) => check === 'gitops');
  expect(gitops?.evidence[0]).toBe(`Application circleci in namespace ${namespace} syncs by itself, with self-heal`);
  expect(gitops?.remedy?.text).toContain('argocd app set circleci --sync-policy none');
  expect(audit.writes().map(callName)).toEqual([]);
});

describe('a replication slot that is made when the checks are over', () => {
  let end: ActionEnd;

  beforeAll(async () => {
    apply(application({}));
    const action = startAction({ ...upgrade, backup: 'external', 'confirm-external-backup': namespace });
    await saysInLog(action, '::group::Stop the applications');
    psql(namespace, 'postgres', "SELECT pg_create_physical_replication_slot('too_late')");
    end = await action.end;
  });

  test('stops the upgrade before PostgreSQL is stopped, with its name and the command that drops it', () => {
    expect([end.exitCode, end.outputs['verdict']]).toEqual([1, 'reverted']);
    expect(end.report.error).toMatchObject({ code: 'reverted' });
    expect(end.report.error?.message).toContain('physical replication slot too_late');
    expect(end.report.error?.remedy.text).toContain("SELECT pg_catalog.pg_drop_replication_slot('too_late');");
    expect(end.report.phases.map(({ id }) => id)).not.toContain('stop-postgresql');
  });

  test('brings the applications and their ScaledObject back as they were', () => {
    expect(replicas(namespace)).toEqual(before);
    expect(annotations()).toEqual(scaledObject.metadata.annotations);
  });
});

describe('an upgrade with a backup outside of the cluster, beside KEDA and a paused Argo CD', () => {
  let end: ActionEnd;
  let atTheStop: Record<string, string>;

  beforeAll(async () => {
    psql(namespace, 'postgres', "SELECT pg_drop_replication_slot('too_late')");
    const action = startAction(
      { ...upgrade, backup: 'external', 'confirm-external-backup': namespace },
      { GITHUB_RUN_ATTEMPT: '2' },
    );
    await saysInLog(action, 'deployments/frontend: replicas 0');
    atTheStop = annotations();
    end = await action.end;
  });

  test('ends with PostgreSQL 14, and every change', () => {
    expect([end.exitCode, end.outputs['verdict'], end.report.error]).toEqual([0, 'upgraded', undefined]);
    expect(psql(namespace, 'postgres', 'SHOW server_version')).toMatch(/^14\./);
    expectNoLoss(namespace);
  });

  test('stops an application only when KEDA has paused', () => {
    expect(atTheStop).toEqual({ ...scaledObject.metadata.annotations, [paused]: 'true' });
    expect(end.log).toContain(`Waiting for KEDA to pause: scaledobjects/${scaler}`);
    expect(operator.replicasWhenPaused).toBeGreaterThan(0);
  });

  test('takes no snapshot, and says so', () => {
    expect(kubectl('-n', namespace, 'get', 'volumesnapshots', '-o', 'name')).toBe('');
    expect(end.log).toContain('Took no backup: it is outside of the cluster');
    expect(end.outputs['snapshot']).toBeUndefined();
  });

  test('leaves the ScaledObject as it was, and no trace of itself', () => {
    expect(replicas(namespace)).toEqual(before);
    expect(annotations()).toEqual(scaledObject.metadata.annotations);
    expect(kubectl('-n', namespace, 'get', 'scaledobjects,statefulsets', '-o', 'yaml')).not.toContain(
      'postgresql-upgrade/fencing-token',
    );
    expect(statefulSet(namespace).managers).not.toContain('circleci-server-postgresql-upgrade');
  });
});

/** KEDA's side: it sets the condition `Paused` by the annotation, after a while. */
class Operator {
  /** Of the frontend, when the ScaledObject was seen paused the last time. */
  replicasWhenPaused = 0;
  private readonly over = new AbortController();
  private readonly end = this.work();

  async hasSeen(status: string): Promise<void> {
    await waitFor(`condition Paused: ${status}`, () => condition() === status);
  }

  async stop(): Promise<void> {
    this.over.abort();
    await this.end;
  }

  private async work(): Promise<void> {
    while (!this.over.signal.aborted) {
      const status = annotations()[paused] === 'true' ? 'True' : 'False';
      if (condition() !== status) {
        if (status === 'True') {
          await sleep(700);
          this.replicasWhenPaused = Number(
            kubectl('-n', namespace, 'get', 'deployment/frontend', '-o', 'jsonpath={.spec.replicas}'),
          );
        }
        const patch = JSON.stringify({ status: { conditions: [{ type: 'Paused', status }] } });
        kubectl('-n', namespace, 'patch', 'scaledobject', scaler, '--subresource=status', '--type=merge', '-p', patch);
      }
      await sleep(300);
    }
  }
}

interface Stored {
  readonly metadata: { readonly annotations?: Record<string, string> };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

function stored(): Stored {
  return kubectlJson('-n', namespace, 'get', 'scaledobject', scaler) as Stored;
}

/** The ScaledObject's, but kubectl's own. */
function annotations(): Record<string, string> {
  const all = Object.entries(stored().metadata.annotations ?? {});
  return Object.fromEntries(all.filter(([name]) => !name.startsWith('kubectl.kubernetes.io/')));
}

function condition(): string | undefined {
  return stored().status?.conditions?.find(({ type }) => type === 'Paused')?.status;
}

function definition(group: string, version: string, kind: string, plural: string): object {
  const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: { kind, plural },
      scope: 'Namespaced',
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: anything },
          subresources: { status: {} },
        },
      ],
    },
  };
}
