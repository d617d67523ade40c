import type { V1ConfigMap } from '@kubernetes/client-node';
import { anchorName } from '../../../src/objects/anchor.ts';
import { jobName } from '../../../src/objects/upgrade-job.ts';
import { resources, type ResourceName } from '../../../src/ports/cluster.ts';
import { run, type Adapters } from '../../../src/run.ts';
import { tellUnfinished } from '../../../src/post.ts';
import { journalName } from '../../../src/objects/journal-name.ts';
import { leaseName } from '../../../src/objects/lease.ts';
import type { Report } from '../../../src/report/report-shape.ts';
import { commandsFor } from '../../commands.ts';
import { FakeClock } from '../../unit/fake-clock.ts';
import type { FakeCluster } from '../../unit/fake-cluster.ts';
import { FakeCrypto } from '../../unit/fake-crypto.ts';
import { FakeRunner } from '../../unit/fake-runner.ts';
import {
  configMap,
  cronJob,
  deployment,
  inputs,
  job,
  namespace,
  newImage,
  oldImage,
  password,
  statefulSet,
} from '../../unit/objects.ts';
import { noCommands } from '../../unit/upgrade/context.ts';
import { collectPods, ending, revertName, served } from '../../unit/upgrade/job-controller.ts';
import { live } from '../../unit/upgrade/live.ts';

export type Live = Awaited<ReturnType<typeof makeWorld>>;

/** What stands in every hostile text that would be code anywhere: it must reach no command, no image and no object. */
export const canary = 'EVIL7';

/** Of a user's other Secret. */
const otherSecret = 'the-other-secret-of-a-user';

const back = ending(0, { command: 'rollback', outcome: 'reverted', message: 'data is PostgreSQL 12 again' });

/** How the Jobs end of an upgrade that goes over by this mode, and whose server then served. */
export const endsOf = (transfer: string) => ({
  [jobName]: ending(0, { transfer }),
  [revertName]: served(transfer),
  [`${revertName} rollback`]: back,
});

/**
 * A namespace with a server, and with much that is not ours: what a forged journal might name.
 * @param given inputs of the upgrade
 */
export async function makeWorld(
  ends: Parameters<typeof live>[0] = endsOf('link'),
  given: Readonly<Record<string, string>> = {},
) {
  const world = await live(ends, given);
  collectPods(world);
  putTheirs(world.cluster);
  world.cluster.calls.length = 0;
  return { ...world, wake: letControllersRest(world.cluster) };
}

/** In how many calls after a change the controllers have done all that follows from it. */
const settling = 8;

/** Controllers look at every object: they do so only after a change. Returns what wakes them where one was made without a call. */
function letControllersRest(cluster: FakeCluster): () => void {
  const controllers = cluster.hooks.splice(0);
  let left = settling;
  cluster.hooks.push((call) => {
    if (left > 0) for (const control of controllers) control(call);
    left = ['create', 'patch', 'delete'].includes(call.method) ? settling : left - 1;
  });
  return () => {
    left = settling;
  };
}

function putTheirs(cluster: FakeCluster): void {
  const volume = (name: string, claim: { name: string; namespace: string; uid: string }, phase: string) => ({
    metadata: { name },
    spec: { persistentVolumeReclaimPolicy: 'Delete', capacity: { storage: '8Gi' }, claimRef: claim },
    status: { phase },
  });
  const theirs = (name: string) => ({
    ...statefulSet(),
    metadata: { name, namespace, uid: `uid-of-${name}`, labels: { app: name } },
  });
  cluster
    .put(
      'persistentvolumes',
      volume('pv-victim', { name: 'data', namespace: 'another', uid: 'uid-a' }, 'Bound'),
      volume('pv-users', { name: 'users-data', namespace, uid: 'uid-of-users-data' }, 'Bound'),
      volume('pv-released', { name: 'gone', namespace: 'another', uid: 'uid-b' }, 'Released'),
    )
    .put('persistentvolumeclaims', {
      metadata: { name: 'users-data', namespace, uid: 'uid-of-users-data' },
      spec: { volumeName: 'pv-users' },
      status: { phase: 'Bound' },
    })
    .put('volumesnapshotcontents', {
      metadata: { name: 'content-of-users-snapshot' },
      spec: { deletionPolicy: 'Retain' },
    })
    .put('volumesnapshots', {
      apiVersion: 'snapshot.storage.k8s.io/v1',
      kind: 'VolumeSnapshot',
      metadata: { name: 'users-snapshot', namespace },
      spec: { source: { persistentVolumeClaimName: 'users-data' }, volumeSnapshotClassName: 'csi-class' },
      status: { readyToUse: true, boundVolumeSnapshotContentName: 'content-of-users-snapshot' },
    })
    .put('statefulsets', theirs('keycloak'))
    .put('deployments', { ...deployment('users-app', 2), metadata: { name: 'users-app', namespace, labels: {} } })
    .put('cronjobs', { ...cronJob('users-cron', false), metadata: { name: 'users-cron', namespace } })
    .put('configmaps', configMap('users-config', { a: 'b' }))
    .put('jobs', job('users-job', 0))
    .put('secrets', {
      metadata: { name: 'users-secret', namespace },
      data: { key: Buffer.from(otherSecret).toString('base64') },
    });
}

type Objects = ReadonlyMap<ResourceName, ReturnType<FakeCluster['lookAtAll']>>;

const kinds = Object.keys(resources) as ResourceName[];

/** Everything that is in a cluster. */
export function objectsOf(cluster: FakeCluster): Objects {
  return new Map(kinds.map((kind) => [kind, cluster.lookAtAll(kind)]));
}

/** A moment of an upgrade: all objects, and what the server is. */
export interface Moment {
  readonly objects: Objects;
  readonly version: string;
  readonly versionNumber: number;
  /** Of the journal. */
  readonly data: Readonly<Record<string, string>>;
}

export function momentOf({ cluster, state }: Live): Moment | undefined {
  const data = cluster.look('configmaps', journalName, namespace)?.data;
  if (data === undefined) return undefined;
  return { objects: objectsOf(cluster), version: state.version, versionNumber: state.versionNumber, data };
}

/** Brings a cluster back to a moment; with another journal than it had then. */
export function putBack(world: Live, moment: Moment, data: Readonly<Record<string, string>>): void {
  const { cluster, state, wake } = world;
  wake();
  for (const [kind, objects] of objectsOf(cluster))
    for (const { metadata } of objects as { metadata?: { name?: string; namespace?: string } }[])
      cluster.remove(kind, metadata?.name ?? '', metadata?.namespace);
  for (const [kind, objects] of moment.objects) cluster.put(kind, ...(objects as never[]));
  // Whoever held the Lease is dead since long.
  const lease = cluster.look('leases', leaseName, namespace);
  if (lease?.spec !== undefined)
    cluster.put('leases', { ...lease, spec: { ...lease.spec, renewTime: '2020-01-01T00:00:00.000000Z' } });
  state.version = moment.version;
  state.versionNumber = moment.versionNumber;
  putJournal(world, data);
}

/** Another journal, in a world where nothing else was changed. */
export function putJournal({ cluster }: Live, data: Readonly<Record<string, string>>): void {
  const journal = cluster.look('configmaps', journalName, namespace) ?? configMap(journalName, {});
  cluster.put('configmaps', { ...journal, data: { ...data } } satisfies V1ConfigMap);
  cluster.calls.length = 0;
}

export type Mode = 'status' | 'upgrade' | 'rollback' | 'post';

/** What a mode left to people. */
export interface Ended {
  readonly code: string | undefined;
  /** Its words. */
  readonly remedy: string;
  /** For a shell. */
  readonly commands: string;
  readonly runner: FakeRunner;
  readonly text: string;
}

/**
 * Runs a mode as the action does, over a cluster in memory.
 * @param more inputs
 */
export async function runMode(
  { cluster }: Pick<Live, 'cluster'>,
  mode: Mode,
  more: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const given = {
    ...{ mode: mode === 'post' ? 'upgrade' : mode, namespace },
    ...(mode === 'upgrade' || mode === 'rollback' ? { confirm: namespace, 'accept-data-loss': 'true' } : {}),
    ...more,
  };
  const runner = new (class extends FakeRunner {
    override state(): string {
      return mode === 'post' ? namespace : '';
    }
  })(given, { GITHUB_EVENT_NAME: 'workflow_dispatch' });
  const outside: Adapters = {
    version: '0.1.0',
    ...{ runner, clock: new FakeClock(), signal: new AbortController().signal, crypto: new FakeCrypto() },
    connect: () => Promise.resolve(cluster),
    connectGitHub: () => Promise.reject(new Error('GitHub is not asked')),
    scripts: () =>
      Promise.resolve({
        job: { 'upgrade.sh': 'echo upgrade' },
        room: '',
        probe: 'echo',
        restoreTest: { script: '', confine: '', literals: '' },
      }),
    runCommands: noCommands,
    readEvent: () => Promise.resolve({}),
  };
  if (mode === 'post') await tellUnfinished(outside);
  else await run(outside);
  const report = JSON.parse(Object.values(runner.files)[0] ?? '{}') as Partial<Pick<Report, 'error'>>;
  const { log, outputs, summary, files } = runner;
  const text = JSON.stringify([log.lines, log.groups, log.annotations, outputs, summary, files]);
  const { code, remedy } = report.error ?? {};
  return { code, remedy: remedy?.text ?? '', commands: commandsFor('shell', remedy), runner, text };
}

const images = new Set([oldImage, newImage, inputs().upgradeImage]);

/** Names that only the action gives. */
const ourNames: Partial<Record<ResourceName, RegExp>> = {
  leases: new RegExp(`^${leaseName}$`),
  configmaps: new RegExp(`^(${journalName}|${jobName})$`),
  jobs: new RegExp(`^(${jobName}(-revert|-boot)?|${anchorName})$`),
  pods: new RegExp(`^(postgres-upgrade-probe-|${jobName}-|${anchorName}-|postgresql-0$)`),
  volumeattachments: /^attachment$/,
  persistentvolumeclaims: /^data-postgresql-0(-copy|-before-upgrade-\d{14})?$/,
  persistentvolumes: /^(pv-1|volume-of-.*)$/,
  volumesnapshots: /^data-postgresql-0-(live|before-upgrade|of-14)-\d{14}$/,
  volumesnapshotcontents: /^content-of-data-postgresql-0-(live|before-upgrade|of-14)-\d{14}$/,
  statefulsets: /^postgresql$/,
  controllerrevisions: /^postgresql-/,
  deployments: /^(frontend|insights)$/,
  cronjobs: /^(nightly|paused)$/,
};

/** What a mode did that it must never do; nothing, where all is well. */
export function harm({ cluster }: Live, before: Objects, { code, text }: Ended, backup: string | undefined): string[] {
  const found: string[] = [];
  if (code === 'unexpected') found.push(`unexpected: ${text.slice(0, 2000)}`);
  for (const { method, resource, name, body, namespace: place } of cluster.calls) {
    if (!['create', 'patch', 'delete', 'exec'].includes(method)) continue;
    const what = `${method} ${resource}/${name}`;
    if (place !== undefined && place !== namespace) found.push(`${what} in namespace ${place}`);
    const said = JSON.stringify(body ?? '');
    // A reason of his, correctly signed, is a reason: the journal may hold it as a sentence.
    if (said.includes(canary) && name !== journalName)
      found.push(`${what} carries a text of the enemy's: ${said.slice(0, 300)}`);
    if (
      said.includes(password) ||
      said.includes(Buffer.from(password).toString('base64')) ||
      said.includes(otherSecret)
    )
      found.push(`${what} carries a secret`);
    if (method === 'delete' && resource === 'volumesnapshots' && name === backup) found.push(`${what}: the backup`);
    const image = /"image":"([^"]*)"/g;
    for (const [, reference = ''] of method === 'exec' ? [] : said.matchAll(image))
      if (!images.has(reference)) found.push(`${what} runs image ${reference}`);
  }
  for (const secret of [password, Buffer.from(password).toString('base64'), otherSecret])
    if (text.includes(secret))
      found.push(`a secret is told: ${text.slice(Math.max(0, text.indexOf(secret) - 200), text.indexOf(secret))}`);
  return cluster.writes.length === 0 ? found : [...found, ...changedOfOthers(cluster, before)];
}

function changedOfOthers(cluster: FakeCluster, before: Objects): string[] {
  const after = objectsOf(cluster);
  return kinds.flatMap((kind) => {
    const isOurs = (name: string) => ourNames[kind]?.test(name) === true;
    const texts = (objects: unknown[] | undefined) =>
      new Map(
        (objects as { metadata?: { name?: string } }[] | undefined)
          ?.map((object) => [object.metadata?.name ?? '', JSON.stringify(object)] as const)
          .filter(([name]) => !isOurs(name)),
      );
    const [then, now] = [texts(before.get(kind)), texts(after.get(kind))];
    return [...new Set([...then.keys(), ...now.keys()])]
      .filter((name) => then.get(name) !== now.get(name))
      .map((name) => `${kind}/${name} is not ours and was changed: ${now.get(name)?.slice(0, 300) ?? 'it is gone'}`);
  });
}
