// A cluster with its controllers, in which a rehearsal can run while the server serves.
import type { V1ContainerState } from '@kubernetes/client-node';
import { rehearsalJobName, rehearsalPodName } from '../../../src/objects/rehearsal.ts';
import type { RehearsalContext } from '../../../src/rehearsal/context.ts';
import { rehearse, type Rehearsal, type RehearsalFinding } from '../../../src/rehearsal/rehearse.ts';
import type { LeasedCluster } from '../../../src/ports/cluster.ts';
import type { Call } from '../fake-cluster.ts';
import { startedConfiguration } from '../fake-database.ts';
import { inputs, namespace } from '../objects.ts';
import { setUp, type Setting } from '../upgrade/context.ts';
import { collectPods, controlJobs, ending } from '../upgrade/job-controller.ts';
import { forgetJournal } from '../upgrade/sealed.ts';
import { controlStorage } from '../upgrade/storage-controller.ts';

export const [podOf12, podOf14] = [rehearsalPodName(12), rehearsalPodName(14)];
export const [bootJob, upgradeJob] = [rehearsalJobName('boot'), rehearsalJobName('upgrade')];

/** How the Jobs end on which a test has no word. */
const usual: Readonly<Record<string, V1ContainerState>> = {
  [bootJob]: ending(0, { command: 'boot', outcome: 'booted', message: 'PostgreSQL 12.16 starts', walEnd: '0/15000A0' }),
  [upgradeJob]: ending(0),
};

/** What a server on the copy says of its settings. */
export interface Settings {
  listens: string;
  archives: string;
  workers: string;
  /** Lines of its configuration that did not come into effect. */
  errors?: string[];
  /** Seconds since it was started. */
  age?: number;
}

const imageOf = (name: string, digit: string) => `registry.example/${name}@sha256:${digit.repeat(64)}`;

/** What the probes of the checks saw, and what the pods run on which a test has no word. */
const usualImages = { upgrade: imageOf('upgrade', '1'), serving: imageOf('server', '2') };
/** Of the same repositories. */
export const movedImages = { upgrade: imageOf('upgrade', '3'), serving: imageOf('server', '4') };

export interface Scene extends Setting {
  readonly rehearsal: RehearsalContext;
  /** By pod. */
  readonly settings: Record<string, Settings>;
  /** imageIDs that the pods have. */
  readonly images: { upgrade: string; serving: string };
  /** States of pods that do not run. */
  readonly states: Record<string, V1ContainerState>;
  /** All that comes of it. */
  readonly whole: (cluster?: LeasedCluster, given?: Readonly<Record<string, string>>) => Promise<Rehearsal>;
  readonly run: (
    cluster?: LeasedCluster,
    given?: Readonly<Record<string, string>>,
  ) => Promise<readonly RehearsalFinding[]>;
}

export async function scene(
  jobs: Readonly<Record<string, V1ContainerState>> = {},
  copying: RehearsalContext['copying'] = { kind: 'snapshot', className: 'csi-class' },
): Promise<Scene> {
  const setting = await setUp();
  const { cluster, context, clock } = setting;
  forgetJournal(cluster);
  controlStorage(setting);
  controlJobs(setting, { ...usual, ...jobs });
  collectPods(setting);
  const isolated = (): Settings => ({ listens: '', archives: 'off', workers: '0' });
  const settings = { [podOf12]: isolated(), [podOf14]: isolated() };
  const states: Record<string, V1ContainerState> = {};
  const images = { ...usualImages };
  nameImages(setting, images);
  runPods(setting, states, images);
  answerBySettings(setting, settings);
  const { signal, log, inputs: given, target, database, serving, scripts, timeline } = context;
  const mark = { runId: 'https://github.example/o/r/actions/runs/1/attempts/1', begunAt: clock.now() };
  const job = { ...context.settings, runId: 'rehearsal-1' };
  const seenOf = (imageId: string) => ({ imageId, node: 'node-1', platform: 'amd64 containerd' });
  const rehearsal: RehearsalContext = {
    seen: { upgrade: seenOf(usualImages.upgrade), serving: seenOf(usualImages.serving) },
    ...{ cluster, clock, log, signal, inputs: given, target, database, serving, scripts, timeline },
    ...{ settings: job, copying, mark, followsServer: true },
  };
  const whole = (over: LeasedCluster = cluster, given = {}) =>
    rehearse({ ...rehearsal, inputs: inputs(given), cluster: over, database: database.over(over) });
  const run = async (over?: LeasedCluster, given = {}) => (await whole(over, given)).findings;
  // The controllers have done what they do without a rehearsal.
  await cluster.version();
  cluster.calls.length = 0;
  return { ...setting, rehearsal, settings, states, images, whole, run };
}

/** The imageID of each Job's pod. */
function nameImages({ cluster }: Setting, images: Scene['images']): void {
  cluster.hooks.push(() => {
    for (const pod of cluster.lookAtAll('pods')) {
      const { containerStatuses = [] } = pod.status ?? {};
      const isOfJob = [bootJob, upgradeJob].some((job) => pod.metadata?.name?.startsWith(`${job}-`) === true);
      if (!isOfJob || containerStatuses.every(({ imageID }) => imageID !== '')) continue;
      const named = containerStatuses.map((status) => ({ ...status, imageID: images.upgrade }));
      cluster.put('pods', { ...pod, status: { ...pod.status, containerStatuses: named } });
    }
  });
}

/** What the kubelet does: a pod of a rehearsal runs, until its server is stopped. */
function runPods(
  { cluster }: Setting,
  states: Readonly<Record<string, V1ContainerState>>,
  images: Scene['images'],
): void {
  const stopped = new Set<string>();
  cluster.hooks.push((call) => {
    const isStop = call.method === 'exec' && (call.body as readonly string[])[0] === 'pg_ctl';
    for (const name of [podOf12, podOf14]) {
      const pod = cluster.look('pods', name, namespace);
      const uid = pod?.metadata?.uid ?? '';
      if (pod === undefined) continue;
      if (isStop && call.name === name) stopped.add(uid);
      const ended: V1ContainerState = { terminated: { exitCode: 0, reason: 'Completed' } };
      const state = states[name] ?? (stopped.has(uid) ? ended : { running: {} });
      const imageID = name === podOf14 ? images.serving : imageOf('server', '0');
      const status = { name: 'postgresql', image: '', imageID, ready: false, restartCount: 0, state };
      const spec = { containers: [], ...pod.spec, nodeName: 'node-1' };
      cluster.put('pods', { ...pod, spec, status: { phase: 'Running', containerStatuses: [status] } });
    }
  });
}

/** Each pod tells its own settings and version. */
function answerBySettings({ cluster, state }: Setting, settings: Readonly<Record<string, Settings>>): void {
  const answer = cluster.onExec;
  let pod = '';
  cluster.hooks.push((call: Call) => {
    if (call.method !== 'exec') return;
    pod = call.name;
    [state.version, state.versionNumber] = pod === podOf14 ? ['14.22', 140022] : ['12.16', 120016];
  });
  const says = (row: object) => ({ exitCode: 0, stdout: `${JSON.stringify(row)}\n`, stderr: '' });
  cluster.onExec = (command, stdin) => {
    const { errors = [], age = startedConfiguration.age, ...of } = settings[pod] ?? {};
    if (stdin.includes("'listens'")) return says(of);
    if (stdin.includes("'errors'")) return says({ ...startedConfiguration, errors, age });
    return answer(command, stdin);
  };
}

/** Everything that is not a rehearsal's, by its kind. */
export function production({ cluster }: Setting): unknown {
  const kinds = ['statefulsets', 'deployments', 'cronjobs', 'secrets', 'configmaps', 'persistentvolumeclaims'] as const;
  return [...kinds, 'persistentvolumes' as const, 'pods' as const].map((kind) =>
    cluster.all(kind).filter(({ metadata }) => !isOfRehearsal(metadata?.name ?? '')),
  );
}

/** What is left of a rehearsal. */
export function left({ cluster }: Setting): string[] {
  const kinds = ['pods', 'jobs', 'persistentvolumeclaims', 'volumesnapshots'] as const;
  const named = kinds.flatMap((kind) =>
    cluster.all(kind).flatMap(({ metadata }) => (isOfRehearsal(metadata?.name ?? '') ? [metadata?.name ?? ''] : [])),
  );
  const volumes = cluster.all('persistentvolumes').filter(({ metadata }) => metadata?.name !== 'pv-1');
  return [...named, ...volumes.map(({ metadata }) => metadata?.name ?? '')];
}

function isOfRehearsal(name: string): boolean {
  return name.includes('rehearsal') || name.startsWith('volume-of-');
}
