// Objects that are only there: pods that nobody schedules, and workloads without replicas.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { environment } from '../../test/cluster/bench.ts';

const run = promisify(execFile);

/** kubectl sends a list one by one and holds itself back, so several are at it. */
const senders = 6;

/** Fills a namespace of the real API server; half of the workloads are those of the application layer. */
export async function crowd(namespace: string, pods: number, workloads: number): Promise<void> {
  const objects = [
    ...Array.from({ length: pods }, (_, n) => pod(namespace, n)),
    ...Array.from({ length: workloads }, (_, n) => (n % 5 === 0 ? cronJob(namespace, n) : deployment(namespace, n))),
  ];
  const shares = Array.from({ length: senders }, (_, n) => objects.filter((_object, index) => index % senders === n));
  await Promise.all(shares.map(create));
}

async function create(items: readonly object[]): Promise<void> {
  const kubectl = run('kubectl', ['create', '--validate=false', '-o', 'name', '-f', '-'], {
    env: { ...process.env, ...environment },
    maxBuffer: 64 * 1024 ** 2,
  });
  kubectl.child.stdin?.end(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  await kubectl;
}

const container = {
  name: 'main',
  image: 'bench.local/application:1',
  env: Array.from({ length: 20 }, (_, n) => ({ name: `SETTING_${String(n)}`, value: 'a value of a common length' })),
};

function pod(namespace: string, n: number): object {
  const metadata = { name: `crowd-${String(n)}`, namespace, labels: { app: 'crowd' } };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { schedulerName: 'nobody', containers: [container] } };
}

function deployment(namespace: string, n: number): object {
  const app = `crowd-${String(n)}`;
  const labels = { app, layer: n % 2 === 0 ? 'application' : 'crowd' };
  const template = { metadata: { labels: { app } }, spec: { containers: [container] } };
  const spec = { replicas: 0, selector: { matchLabels: { app } }, template };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: app, namespace, labels }, spec };
}

function cronJob(namespace: string, n: number): object {
  const metadata = { name: `crowd-${String(n)}`, namespace, labels: { layer: n % 2 === 0 ? 'application' : 'crowd' } };
  const template = { spec: { restartPolicy: 'Never', containers: [container] } };
  const spec = { schedule: '0 0 1 1 *', suspend: true, jobTemplate: { spec: { template } } };
  return { apiVersion: 'batch/v1', kind: 'CronJob', metadata, spec };
}
