import { describe, expect, test } from '@jest/globals';
import type { V1CronJob, V1Pod, V1PodSpec } from '@kubernetes/client-node';
import { neighboursOf } from '../../../src/target/neighbours.ts';
import { cronJob, namespace, serverPod, target } from '../objects.ts';

const found = await target();

interface PodParts {
  owner?: [kind: string, name: string];
  labels?: Record<string, string>;
  spec?: Partial<V1PodSpec>;
  phase?: string;
  ips?: string[];
}

function pod(name: string, { owner, labels = {}, spec = {}, phase = 'Running', ips = ['10.0.0.7'] }: PodParts): V1Pod {
  const [kind, of] = owner ?? [];
  return {
    metadata: {
      ...{ name, namespace, labels },
      ...(kind === undefined || of === undefined
        ? {}
        : { ownerReferences: [{ apiVersion: 'apps/v1', kind, name: of, uid: 'u', controller: true }] }),
    },
    spec: { containers: [{ name: 'main' }], ...spec },
    status: { phase, podIPs: ips.map((ip) => ({ ip })) },
  };
}

const neighbours = (pods: V1Pod[], cronJobs: V1CronJob[] = []) => neighboursOf(pods, cronJobs, found);
const env = (...variables: object[]): Partial<V1PodSpec> => ({
  containers: [{ name: 'main', env: variables as never }],
});
const usesOf = (spec: Partial<V1PodSpec>) => neighbours([pod('one', { spec })])[0]?.uses;

describe('neighbours', () => {
  test("are the workloads of the pods that run; the server's own pod and ended ones are none", () => {
    const hash = { 'pod-template-hash': '6d5f' };
    const pods = [
      serverPod(),
      pod('exporter-6d5f-a', { owner: ['ReplicaSet', 'exporter-6d5f'], labels: hash, ips: ['10.0.0.1'] }),
      pod('exporter-6d5f-b', { owner: ['ReplicaSet', 'exporter-6d5f'], labels: hash, ips: ['10.0.0.2', 'fd00::2'] }),
      pod('agent-x', { owner: ['DaemonSet', 'agent'] }),
      pod('dump-29384756-z', { owner: ['Job', 'dump-29384756'] }),
      pod('load-1', { owner: ['Job', 'load-1'] }),
      pod('psql', {}),
      pod('gone', { phase: 'Succeeded' }),
    ];
    const found = neighbours(pods, [cronJob('dump', false)]);
    const named = found.map((n) => [`${n.kind}/${n.name}`, n.addresses]);
    expect(named).toEqual([
      ['CronJob/dump', ['10.0.0.7']],
      ['DaemonSet/agent', ['10.0.0.7']],
      ['Deployment/exporter', ['10.0.0.1', '10.0.0.2', 'fd00::2']],
      ['Job/load-1', ['10.0.0.7']],
      ['Pod/psql', ['10.0.0.7']],
    ]);
    // Two addresses may be of one pod.
    expect(found.find(({ name }) => name === 'exporter')?.pods).toBe(2);
  });

  test('of the application layer are those whose workload or labels are', () => {
    const frontend = { app: 'frontend' };
    const pods = [
      pod('frontend-1', { owner: ['Rollout', 'frontend'], labels: frontend }),
      pod('nightly-1-a', { owner: ['Job', 'nightly-1'] }),
      pod('other', {}),
    ];
    const list = neighbours(pods, [cronJob('nightly', false), cronJob('foreign', false)]);
    expect(list.map((n) => [n.name, n.isApplication])).toEqual([
      ['foreign', false],
      ['nightly', true],
      ['other', false],
      ['frontend', true],
    ]);
  });

  test.each([
    [
      'a variable of the Secret',
      env({ name: 'PW', valueFrom: { secretKeyRef: { name: 'postgresql', key: 'k' } } }),
      'variable PW (Secret postgresql)',
    ],
    ['a host', env({ name: 'DB_HOST', value: 'postgresql' }), 'variable DB_HOST (Service postgresql)'],
    [
      'a host with its namespace',
      env({ name: 'DB_ADDRESS', value: 'postgresql-hl.circleci-server.svc.cluster.local:5432' }),
      'variable DB_ADDRESS',
    ],
    ['a URL', env({ name: 'X', value: 'postgres://circle:pw@postgresql:5432/circle' }), 'variable X (Service'],
    ["JDBC's URL", env({ name: 'X', value: 'jdbc:postgresql://postgresql/vms' }), 'variable X (Service'],
    ["libpq's keywords", env({ name: 'X', value: 'user=circle host=postgresql dbname=vms' }), 'variable X (Service'],
    [
      'all variables of the Secret',
      { containers: [{ name: 'c', envFrom: [{ secretRef: { name: 'postgresql' } }] }] },
      'all its variables',
    ],
    ['an argument', { containers: [{ name: 'c', args: ['--host=postgresql'] }] }, 'its command (Service postgresql)'],
    ['an init container', { initContainers: [{ name: 'c', command: ['psql', '--host postgresql '] }] }, 'its command'],
    ['a volume', { volumes: [{ name: 'pw', secret: { secretName: 'postgresql' } }] }, 'volume pw (Secret postgresql)'],
    [
      'a projected volume',
      { volumes: [{ name: 'pw', projected: { sources: [{ secret: { name: 'postgresql' } }] } }] },
      'volume pw',
    ],
  ] as const)('name the server by %s', (_what, spec, use) => {
    expect(usesOf(spec as Partial<V1PodSpec>)).toEqual([expect.stringContaining(use)]);
  });

  test.each([
    ['a word', { name: 'DB_TYPE', value: 'postgresql' }],
    ['a path', { name: 'DATA_URI', value: '/bitnami/postgresql' }],
    ['a scheme', { name: 'DB_URL', value: 'postgresql://other.example.com/db' }],
    ['another host of such a name', { name: 'DB_HOST', value: 'postgresql.other-namespace' }],
    ['a longer name', { name: 'DB_HOST', value: 'postgresql-exporter' }],
    ['another Secret', { name: 'PW', valueFrom: { secretKeyRef: { name: 'writer', key: 'k' } } }],
  ])('do not by %s', (_what, variable) => {
    expect(usesOf(env(variable))).toEqual([]);
  });

  test('are CronJobs too, of which no pod runs', () => {
    const job = cronJob('dump', false);
    const [variable] = env({ name: 'PGHOST', value: 'postgresql' }).containers ?? [];
    if (job.spec.jobTemplate.spec?.template.spec !== undefined && variable !== undefined)
      job.spec.jobTemplate.spec.template.spec.containers = [variable];
    expect(neighbours([], [job])).toMatchObject([{ kind: 'CronJob', uses: ['variable PGHOST (Service postgresql)'] }]);
  });
});
