import { readClients, type Client } from '../../database/clients.ts';
import { readMd5Roles } from '../../database/configuration.ts';
import { applicationName } from '../../database/database.ts';
import { readObstacles } from '../../database/obstacles.ts';
import { librariesOf, librariesQuestions } from '../../database/libraries.ts';
import { extensionsOf, extensionsQuestion, readDatabases, readServer } from '../../database/server.ts';
import { sortOrdersOf, sortOrdersQuestion } from '../../database/sort-order.ts';
import type { EarlierData } from '../../objects/backup.ts';
import { isBackupClaim } from '../../objects/copy.ts';
import { isOurPod } from '../../objects/ours.ts';
import { isOfUpgrade } from '../../objects/snapshot.ts';
import { jobName, type JobSettings } from '../../objects/upgrade-job.ts';
import type { ProbeRole } from '../../probes/probe.ts';
import { sweepProbes } from '../../probes/sweep-probes.ts';
import { newestRevisions } from '../../target/helm-releases.ts';
import { neighboursOf } from '../../target/neighbours.ts';
import { askUser, missingPermissions, needed, type Permission } from '../../permissions/permissions.ts';
import { serverNames } from '../../target/server-names.ts';
import { findReconcilers, type Marked } from '../../target/reconcilers.ts';
import { slowestStart } from '../../target/application-start.ts';
import { volumeUsersAmong } from '../../target/volume-users.ts';
import { findJournal } from '../../journal/find-journal.ts';
import type { Journal } from '../../journal/journal.ts';
import { journalName } from '../../objects/journal-name.ts';
import { jobSettings } from '../../objects/job-settings.ts';
import { allNamed } from '../../common/parallel.ts';
import { answerOfAll, askDatabases } from '../../database/ask-databases.ts';
import { probe, testRestore, tryStart } from './ask-images.ts';
import { refusedObjects } from './dry-runs.ts';
import { withHeartbeat } from '../../ports/heartbeat.ts';
import type { Facts, StorageClassFacts, SnapshotClassFacts } from '../../facts/facts.ts';
import { notAsked, type Known, combineFacts, known, thenFact } from '../../common/known.ts';
import type { FactReaderDeps } from './deps.ts';
import { askServer, databaseHazards, hazardFacts } from '../../hazards/gather.ts';
import { Stopwatch, type FactName, type FactSeconds } from './stopwatch.ts';
import { readVolumeFiles } from '../../database/volume-files.ts';
import { tryVolume, type VolumeTrial } from '../../database/volume-trial.ts';
import type { ClusterReader } from '../../ports/cluster.ts';
import type { Target } from '../../target/target.ts';

/** Sessions at a time: few, since the server is in production. */
const sessions = 4;

/** Asked in one session: to connect to a database takes longer than most of these questions. */
const databaseQuestions = [extensionsQuestion, ...librariesQuestions, sortOrdersQuestion, ...databaseHazards];

/** What was read, and how long each of it took. */
export interface Gathered {
  readonly facts: Facts;
  readonly seconds: FactSeconds;
}

/** Reads all that the checks judge. What can't be read becomes unknown with its reason; only a cancellation throws. */
export async function gatherFacts(gathering: FactReaderDeps): Promise<Gathered> {
  const { clock, log } = gathering;
  const stopwatch = new Stopwatch(clock);
  const work = { doing: 'reading facts', state: () => stopwatch.pending, clock, log };
  const facts = await withHeartbeat(work, () => readFacts(gathering, (names, read) => stopwatch.measure(names, read)));
  log.info('Read what the checks judge');
  return { facts, seconds: stopwatch.seconds };
}

async function readFacts(gathering: FactReaderDeps, timed: Stopwatch['measure']): Promise<Facts> {
  const { cluster, inputs, target, database } = gathering;
  const { namespace } = target;
  const read = <T>(facts: FactName | readonly FactName[], work: () => Promise<T>) => timed(facts, () => known(work));
  const readFrom = <A, T>(fact: FactName | readonly FactName[], from: Known<A>, work: (value: A) => Promise<T>) =>
    timed(fact, () => thenFact(from, work));
  const { version, permissions, server, databases, firstClients } = await allNamed({
    version: () => timed('access', () => cluster.version()),
    permissions: () => read('missingPermissions', () => missingPermissions(cluster, serverNames(target), 'upgrade')),
    server: () => read('server', () => readServer(database)),
    databases: () => read('databases', () => readDatabases(database)),
    firstClients: () => read('clients', () => clientsOf(gathering)),
  });
  const user = await thenFact(permissions, (missing) => (needed(missing).length === 0 ? '' : askUser(cluster)));
  const snapshotClass = await read('snapshotClass', () =>
    chooseSnapshotClass(cluster, target, inputs.volumeSnapshotClass),
  );
  const settings: Known<JobSettings> = combineFacts(server, databases, (s, d) => ({
    ...jobSettings(inputs, s, d),
    runId: 'precheck',
  }));
  // Everything that only the server's pod shows.
  const { answers, serverHazards, ...ofPod } = await allNamed({
    answers: () =>
      readFrom(['extensions', 'libraries', 'sortOrders', 'hazards'], databases, (list) =>
        askDatabases(database, list, databaseQuestions, sessions),
      ),
    serverHazards: () => read('hazards', () => askServer(database)),
    files: () => read('files', () => readVolumeFiles(database, target, gathering.scripts.room)),
    obstacles: () => read('obstacles', () => readObstacles(database)),
    md5Roles: () => read('md5Roles', () => readMd5Roles(database)),
  });
  const hazards = combineFacts(databases, answers, (list, of) => hazardFacts(serverHazards, list, of));
  // What to ask the images for.
  const extensions = answerOfAll(answers, [extensionsQuestion], extensionsOf);
  const libraries = answerOfAll(answers, librariesQuestions, librariesOf);
  const sortOrders = answerOfAll(answers, [sortOrdersQuestion], sortOrdersOf);
  // An upgrade or a rehearsal that lacks rights creates nothing before it is refused, not even a probe.
  const isMaking = inputs.mode === 'rehearse' || (inputs.mode === 'upgrade' && !inputs.dryRun);
  const mayProbe = isMaking ? onlyIfGranted(permissions, settings) : settings;
  if (inputs.probes === 'pods' && mayProbe.known) await sweepProbes(gathering, namespace);
  const asked = (role: ProbeRole) => () =>
    timed(`${role}Probe`, () => probe(gathering, role, mayProbe, databases, sortOrders, libraries));
  const marked = read(['reconcilers', 'charts'], () => markedObjects(gathering));
  const journal = read(['leftoverObjects', 'keptData'], () => findJournal(cluster, target, gathering.seal));
  const policies = read('networkPolicies', () => cluster.list('networkpolicies', { namespace }));
  // A cancellation ends the run, but not before each probe has been removed.
  const { pods, cronJobs, objects, ...others } = await allNamed({
    pods: () => read(['neighbours', 'otherVolumeUsers', 'applicationStart'], () => cluster.list('pods', { namespace })),
    cronJobs: () => known(() => cluster.list('cronjobs', { namespace })),
    objects: () => marked,
    helmRevisions: () => read('helmRevisions', () => newestRevisions(cluster, namespace)),
    leftoverObjects: async () => readFrom('leftoverObjects', await journal, (found) => leftovers(gathering, found)),
    keptData: async () => readFrom('keptData', await journal, (found) => keptData(gathering, found)),
    reconcilers: async () => readFrom('reconcilers', await marked, (list) => findReconcilers(cluster, list)),
    refused: () => readFrom('refused', settings, (s) => refusedObjects(gathering, s, snapshotClass)),
    storageClass: () => read('storageClass', () => readStorageClass(cluster, target)),
    nodes: () => read('nodes', () => cluster.list('nodes')),
    budgets: () => read('budgets', () => cluster.list('poddisruptionbudgets', { namespace })),
    networkPolicies: () => policies,
    upgradeProbe: asked('upgrade'),
    servingProbe: asked('serving'),
    trial: () =>
      timed('trial', () =>
        tryStart(
          gathering,
          combineFacts(mayProbe, server, (_, s) => s),
        ),
      ),
    volumeTrial: () => timed('volumeTrial', () => volumeTried(gathering)),
    restoreTest: () =>
      timed('restoreTest', () => testRestore(gathering, mayProbe, server, databases, hazards, policies)),
    pullRequest: () => timed('pullRequest', () => gathering.probePullRequest?.() ?? Promise.resolve(undefined)),
  });
  return {
    ...ofPod,
    ...others,
    inputs,
    target,
    serving: inputs.servingImage,
    upgradeImage: inputs.upgradeImage,
    access: { address: cluster.address, version, weaknesses: cluster.weaknesses },
    unmaskedSecrets: gathering.unmaskedSecrets,
    missingPermissions: permissions,
    user,
    server,
    databases,
    extensions,
    libraries,
    sortOrders,
    hazards,
    applicationStart: await thenFact(pods, (list) => slowestStart(list, target.applications)),
    otherVolumeUsers: await thenFact(pods, (list) => volumeUsersAmong(list, target)),
    clients: await readFrom('clients', firstClients, async (before) => stillThere(before, await clientsOf(gathering))),
    neighbours: combineFacts(pods, cronJobs, (list, jobs) =>
      neighboursOf(
        list.filter((pod) => !isOurPod(pod)),
        jobs,
        target,
      ),
    ),
    charts: await thenFact(objects, chartsOf),
    snapshotClass,
  };
}

/** PostgreSQL and the applications, with what labels them. */
async function markedObjects({ cluster, target, inputs }: FactReaderDeps): Promise<Marked[]> {
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
  return [server, ...applications.flat().filter((a) => a.object !== server.object)];
}

function chartsOf(objects: readonly Marked[]): string[] {
  const labels = objects.map(({ metadata }) => metadata?.labels?.['helm.sh/chart']);
  return [...new Set(labels.filter((label) => label !== undefined))].sort();
}

/** Sessions other than the action's. Anybody may give a session the action's name, but not the action's role. */
async function clientsOf({ database }: FactReaderDeps): Promise<Client[]> {
  const isOurs = ({ application, user }: Client) => application === applicationName && user === database.superuser;
  return (await readClients(database)).filter((client) => !isOurs(client));
}

/** Sessions that are there both times; a scrape or a probe of the kubelet ends at once. */
function stillThere(before: readonly Client[], now: readonly Client[]): Client[] {
  const pids = new Set(now.map(({ pid }) => pid));
  return before.filter(({ pid }) => pids.has(pid));
}

async function volumeTried({ inputs, database, target }: FactReaderDeps): Promise<Known<VolumeTrial>> {
  if (!inputs.probeVolume) return { known: false, reason: 'probe-volume: false', code: notAsked };
  return await known(() => tryVolume(database, target));
}

/** Jobs and a journal of an upgrade that is not finished. A Job of the action that has ended is only a log. */
async function leftovers({ cluster, target }: FactReaderDeps, journal: Journal | undefined): Promise<string[]> {
  const { namespace } = target;
  const jobs = await cluster.list('jobs', { namespace });
  const active = jobs.filter((job) => (job.metadata?.name ?? '').startsWith(jobName) && (job.status?.active ?? 0) > 0);
  const unfinished = journal?.isClosed === false;
  return [
    ...active.map((job) => `running Job ${job.metadata?.name ?? ''}`),
    ...(unfinished ? [`unfinished journal ConfigMap ${journalName}`] : []),
  ];
}

/** Snapshots, clones and copies that this action made of the server's volume, and the volume that it had before a restore. */
async function keptData({ cluster, target }: FactReaderDeps, journal: Journal | undefined): Promise<EarlierData[]> {
  // While an upgrade is open, its backup may be the only way back.
  if (journal?.isClosed === false) return [];
  const { namespace, volume } = target;
  const former = journal?.noted.exchange?.former;
  const [snapshots, claims, released] = await Promise.all([
    known(() => cluster.list('volumesnapshots', { namespace })),
    known(() => cluster.list('persistentvolumeclaims', { namespace })),
    known(() => (former === undefined ? undefined : cluster.find('persistentvolumes', former))),
  ]);
  const ours = (snapshots.known ? snapshots.value : []).filter((snapshot) => isOfUpgrade(target, snapshot));
  const backups = (claims.known ? claims.value : []).filter((claim) => isBackupClaim(target, claim));
  const { spec, status } = (released.known ? released.value : undefined) ?? {};
  const { name, namespace: of } = spec?.claimRef ?? {};
  const isFormer = status?.phase === 'Released' && name === volume.claimName && of === namespace;
  return [
    ...ours.map(({ metadata }): EarlierData => ({ kind: 'VolumeSnapshot', name: metadata.name })),
    ...backups.map(({ metadata }) => ({ kind: 'PersistentVolumeClaim' as const, name: metadata?.name ?? '' })),
    ...(isFormer && former !== undefined ? [{ kind: 'PersistentVolume' as const, name: former }] : []),
  ];
}

function onlyIfGranted<T>(missing: Known<readonly Permission[]>, fact: Known<T>): Known<T> {
  if (missing.known && needed(missing.value).length === 0) return fact;
  return { known: false, reason: 'the images are not asked: permissions are missing', code: 'permissions-missing' };
}

/** @throws ClusterError */
export async function readStorageClass(cluster: ClusterReader, { volume }: Target): Promise<StorageClassFacts> {
  const name = volume.claim.spec?.storageClassName ?? '';
  return { name, found: name === '' ? undefined : await cluster.find('storageclasses', name) };
}

const defaultClass = 'snapshot.storage.kubernetes.io/is-default-class';

/** The VolumeSnapshotClass for the volume: the one asked for, the only one of its driver, or its driver's default. */
export async function chooseSnapshotClass(
  cluster: ClusterReader,
  target: Target,
  wanted: string,
): Promise<SnapshotClassFacts> {
  const driver = target.volume.persistentVolume?.spec?.csi?.driver;
  if (driver === undefined) return { driver, chosen: undefined, candidates: [] };
  const fitting = (await cluster.list('volumesnapshotclasses')).filter((c) => c.driver === driver);
  const isDefault = fitting.filter((c) => c.metadata.annotations?.[defaultClass] === 'true');
  const [only] = fitting.length === 1 ? fitting : isDefault.length === 1 ? isDefault : [];
  const chosen = wanted === '' ? only : fitting.find((c) => c.metadata.name === wanted);
  return { driver, chosen, candidates: fitting.map((c) => c.metadata.name) };
}
