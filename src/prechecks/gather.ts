import type { Database } from '../database/database.ts';
import { readMd5Roles } from '../database/configuration.ts';
import { readAll } from '../database/each.ts';
import { readObstacles } from '../database/obstacles.ts';
import {
  extensionsOf,
  extensionsSql,
  readDatabases,
  readServer,
  type DatabaseFacts,
  type ServerFacts,
} from '../database/server.ts';
import { sortOrdersOf, sortOrdersSql, type SortOrders } from '../database/sort-order.ts';
import { CancelledError, ClusterError, describe, isRunError } from '../errors.ts';
import type { Inputs } from '../inputs.ts';
import { jobName, scriptConfigMap, upgradeJob, type JobSettings } from '../job/manifest.ts';
import { localesOf, parseProbe, probePod, type ImageFacts, type ProbeRole } from '../job/probe.ts';
import { isReplayed, parseReplay, replayPod, type ReplayFacts } from '../job/replay.ts';
import { runProbe } from '../job/run-probe.ts';
import { runTrial, type Trial } from '../job/run-trial.ts';
import { sweepProbes } from '../job/sweep-probes.ts';
import { obstacleToTrial, trialPod } from '../job/trial-pod.ts';
import type { ProbeFact } from '../pull-request/probe.ts';
import type { Surroundings } from '../ports/context.ts';
import type { Target } from '../target/target.ts';
import { servingImage, upgradeImage } from '../target/images.ts';
import { missingPermissions, type Permission } from '../target/permissions.ts';
import { findReconcilers, type Reconciler } from '../target/reconcilers.ts';
import { volumeUsers } from '../target/volume-users.ts';
import { copyClaim, copyName } from '../upgrade/backup/copy.ts';
import { snapshotObject } from '../upgrade/backup/snapshot-object.ts';
import { jobSettings } from '../upgrade/settings.ts';
import { Journal, journalName } from '../upgrade/journal.ts';
import type { Facts, SnapshotClassFacts } from './facts.ts';
import { gatherHazards } from './hazards/gather.ts';
import { notAsked, type Known } from './finding.ts';
import { chooseSnapshotClass } from './snapshot-class.ts';
import { readVolumeFiles } from './volume-files.ts';

export interface Gathering extends Surroundings {
  readonly inputs: Inputs;
  readonly target: Target;
  readonly database: Database;
  /** Text of probe.sh. */
  readonly probeScript: string;
  /** Text of replay.sh. */
  readonly replayScript: string;
  /** Asks GitHub whether the pull request for the values file can be made; undefined when there will be none. */
  readonly probePullRequest: (() => Promise<readonly ProbeFact[]>) | undefined;
}

/** Reads all that the checks judge. What can't be read becomes unknown with its reason; only a cancellation throws. */
export async function gatherFacts(gathering: Gathering): Promise<Facts> {
  const { cluster, inputs, target, database } = gathering;
  const [version, permissions, server, databases, files, obstacles] = await Promise.all([
    cluster.version(),
    known(() => missingPermissions(cluster, target.namespace, 'upgrade')),
    known(() => readServer(database)),
    known(() => readDatabases(database)),
    known(() => readVolumeFiles(database, target)),
    known(() => readObstacles(database)),
  ]);
  const snapshotClass = await known(() => chooseSnapshotClass(cluster, target, inputs.volumeSnapshotClass));
  const settings: Known<JobSettings> = both(server, databases, (s, d) => ({
    ...jobSettings(inputs, s, d),
    runId: 'precheck',
  }));
  const sortOrders = await knownFrom(databases, async (list) =>
    sortOrdersOf(await readAll(database, list, sortOrdersSql, sessions)),
  );
  // An upgrade that will be refused for its rights makes nothing before, not even a probe.
  const mayProbe = inputs.mode === 'upgrade' ? onlyIfGranted(permissions, settings) : settings;
  if (inputs.probes === 'pods' && mayProbe.known) await sweepProbes(gathering, target.namespace);
  const reads = [
    knownFrom(databases, async (list) => extensionsOf(await readAll(database, list, extensionsSql, sessions))),
    knownFrom(databases, (list) => gatherHazards(database, list, sessions)),
    known(() => volumeUsers(cluster, target)),
    known(() => leftovers(gathering)),
    known(() => reconcilersOf(gathering)),
    knownFrom(settings, (s) => refusedObjects(gathering, s, snapshotClass)),
    probe(gathering, 'upgrade', upgradeImage(inputs), mayProbe, databases, sortOrders),
    probe(gathering, 'serving', servingImage(inputs).reference, mayProbe, databases, sortOrders),
    tryStart(
      gathering,
      both(mayProbe, server, (_, s) => s),
    ),
    known(() => readMd5Roles(database)),
    replayed(gathering, mayProbe, server, databases),
    gathering.probePullRequest?.() ?? Promise.resolve(undefined),
  ] as const;
  // A cancellation ends the run, but not before each probe has been removed.
  await Promise.allSettled(reads);
  const [
    extensions,
    hazards,
    otherVolumeUsers,
    leftoverObjects,
    reconcilers,
    refused,
    upgradeProbe,
    servingProbe,
    trial,
    md5Roles,
    replay,
    pullRequest,
  ] = await Promise.all(reads);
  return {
    inputs,
    target,
    serving: servingImage(inputs),
    upgradeImage: upgradeImage(inputs),
    access: { address: cluster.address, version },
    missingPermissions: permissions,
    server,
    databases,
    obstacles,
    extensions,
    sortOrders,
    hazards,
    files,
    otherVolumeUsers,
    reconcilers,
    snapshotClass,
    refused,
    leftoverObjects,
    upgradeProbe,
    servingProbe,
    trial,
    md5Roles,
    replay,
    pullRequest,
  };
}

async function known<T>(read: () => T | Promise<T>): Promise<Known<T>> {
  try {
    return { known: true, value: await read() };
  } catch (error) {
    if (error instanceof CancelledError) throw error;
    return unread(error);
  }
}

function unread(error: unknown): Known<never> {
  return { known: false, reason: describe(error), code: isRunError(error) ? error.code : 'unexpected' };
}

async function knownFrom<A, T>(fact: Known<A>, read: (value: A) => Promise<T>): Promise<Known<T>> {
  return fact.known ? await known(() => read(fact.value)) : fact;
}

function both<A, B, T>(a: Known<A>, b: Known<B>, make: (a: A, b: B) => T): Known<T> {
  if (!a.known) return a;
  if (!b.known) return b;
  try {
    return { known: true, value: make(a.value, b.value) };
  } catch (error) {
    return unread(error);
  }
}

function pair<A, B>(a: A, b: B): readonly [A, B] {
  return [a, b];
}

/** A few sessions at a time: the server is in production. */
const sessions = 4;

function onlyIfGranted<T>(missing: Known<readonly Permission[]>, fact: Known<T>): Known<T> {
  if (missing.known && missing.value.length === 0) return fact;
  return { known: false, reason: 'the images are not asked: permissions are missing', code: 'permissions-missing' };
}

async function probe(
  gathering: Gathering,
  role: ProbeRole,
  image: string,
  settings: Known<JobSettings>,
  databases: Known<readonly DatabaseFacts[]>,
  sortOrders: Known<SortOrders>,
): Promise<Known<ImageFacts>> {
  const { inputs, target } = gathering;
  if (inputs.probes === 'none')
    return { known: false, reason: `${image} was not asked (probes: none)`, code: notAsked };
  if (!settings.known) return settings;
  const locales = localesOf(
    settings.value.initdb,
    databases.known ? databases.value : [],
    sortOrders.known ? sortOrders.value : {},
  );
  return await known(() =>
    runProbe(
      gathering,
      probePod(target, role, image, inputs.imagePullSecret, locales, gathering.probeScript),
      inputs.jobStartTimeout,
      (log) => parseProbe(image, log),
    ),
  );
}

/** Starts 14 with the StatefulSet's configuration, where that can touch nothing. */
async function tryStart(gathering: Gathering, server: Known<ServerFacts>): Promise<Known<Trial>> {
  const { inputs, target, database } = gathering;
  if (inputs.probes === 'none') return { known: false, reason: 'probes: none', code: notAsked };
  if (!server.known) return server;
  const obstacle = obstacleToTrial(target, server.value.archiveMode);
  if (obstacle !== undefined) return { known: false, reason: obstacle, code: 'not-tried' };
  const pod = trialPod(target, servingImage(inputs).reference, inputs.imagePullSecret);
  return await known(() => runTrial(gathering, pod, database, inputs.jobStartTimeout));
}

async function replayed(
  gathering: Gathering,
  settings: Known<JobSettings>,
  server: Known<ServerFacts>,
  databases: Known<readonly DatabaseFacts[]>,
): Promise<Known<ReplayFacts>> {
  const { inputs, target, database, replayScript } = gathering;
  const image = upgradeImage(inputs);
  if (inputs.probes === 'none')
    return { known: false, reason: `${image} was not asked (probes: none)`, code: notAsked };
  const read = both(settings, both(server, databases, pair), pair);
  return await knownFrom(read, ([job, [facts, list]]) => {
    const names = list.filter(isReplayed).map(({ name }) => name);
    const limit = inputs.jobStartTimeout;
    const pod = replayPod(target, job, facts, database.superuser, names, replayScript, limit);
    return runProbe(gathering, pod, limit, (log) => parseReplay(image, names, log));
  });
}

/** Dry runs of everything that the upgrade makes; the pod of the Job by itself, since Pod Security lets the Job pass and refuses the pod. */
async function refusedObjects(
  { cluster, target, inputs }: Gathering,
  settings: JobSettings,
  snapshotClass: Known<SnapshotClassFacts>,
): Promise<string[]> {
  const { namespace } = target;
  const job = upgradeJob(target, settings, 'upgrade');
  const template = job.spec?.template;
  const pod = {
    metadata: { ...template?.metadata, namespace, name: `${jobName}-dry-run` },
    spec: template?.spec ?? { containers: [] },
  };
  const dryRun = { namespace, dryRun: true };
  const tries: [string, () => Promise<unknown>][] = [
    // A generated name: an ended Job of an earlier try is no refusal.
    [
      'the Job',
      () => cluster.create('jobs', { ...job, metadata: { ...job.metadata, name: `${jobName}-dry-run` } }, dryRun),
    ],
    ['the pod of the Job', () => cluster.create('pods', pod, dryRun)],
  ];
  const configMap = scriptConfigMap(target, {});
  tries.push([
    'the ConfigMap of the Job',
    () =>
      cluster.create(
        'configmaps',
        { ...configMap, metadata: { ...configMap.metadata, name: `${jobName}-dry-run` } },
        dryRun,
      ),
  ]);
  const className = snapshotClass.known ? snapshotClass.value.chosen?.metadata.name : undefined;
  if (inputs.backup !== 'external') {
    const claim = copyClaim(target, `${copyName(target)}-dry-run`, {
      kind: 'PersistentVolumeClaim',
      name: target.volume.claimName,
    });
    tries.push(['the claim of a copy', () => cluster.create('persistentvolumeclaims', claim, dryRun)]);
  }
  if (inputs.backup === 'snapshot' && className !== undefined)
    tries.push([
      'the VolumeSnapshot',
      () => cluster.create('volumesnapshots', snapshotObject(target, 'before-upgrade', 'dry-run', className), dryRun),
    ]);
  const answers = await Promise.all(
    tries.map(async ([what, attempt]) => {
      try {
        await attempt();
        return [];
      } catch (error) {
        // Only a refusal is an answer; anything else leaves the question open.
        if (error instanceof ClusterError && ['forbidden', 'invalid', 'refused', 'conflict'].includes(error.code))
          return [`${what}: ${error.message}`];
        throw error;
      }
    }),
  );
  return answers.flat();
}

async function reconcilersOf({ cluster, target, inputs }: Gathering): Promise<Reconciler[]> {
  const options = { namespace: target.namespace, labelSelector: inputs.applicationSelector };
  const kinds = ['deployments', 'statefulsets', 'cronjobs'] as const;
  const applications = await Promise.all(
    kinds.map(async (kind) =>
      (await cluster.list(kind, options)).map(({ metadata }) => ({
        object: `${kind}/${metadata?.name ?? ''}`,
        metadata,
      })),
    ),
  );
  const server = { object: `statefulsets/${target.name}`, metadata: target.statefulSet.metadata };
  return await findReconcilers(cluster, [server, ...applications.flat().filter((a) => a.object !== server.object)]);
}

/** Jobs and a journal that tell of an upgrade that has not come to its end. An ended Job of ours is only a log. */
async function leftovers({ cluster, target }: Gathering): Promise<string[]> {
  const { namespace } = target;
  const jobs = await cluster.list('jobs', { namespace });
  const active = jobs.filter((job) => (job.metadata?.name ?? '').startsWith(jobName) && (job.status?.active ?? 0) > 0);
  const journal = await Journal.find(cluster, namespace);
  const unfinished = journal?.isClosed === false;
  return [
    ...active.map((job) => `running Job ${job.metadata?.name ?? ''}`),
    ...(unfinished ? [`unfinished journal ConfigMap ${journalName}`] : []),
  ];
}
