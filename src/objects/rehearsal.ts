// What a rehearsal makes in the cluster, and how it is known again. The names are fixed, so that Kubernetes can grant rights by them, and so that whoever sweeps
// finds all of it without a list.
// Decision: docs/decisions/0034-rehearsal.md
import type {
  V1Container,
  V1Job,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodSpec,
  V1ResourceRequirements,
} from '@kubernetes/client-node';
import { amountOf } from '../common/bytes.ts';
import { upgrade } from '../common/versions.ts';
import type { VolumeSnapshot } from '../ports/cluster.ts';
import type { Target, Volume } from '../target/target.ts';
import type { Source } from './backup.ts';
import { copyClaim } from './copy.ts';
import { isOurJob, isRehearsalPod, rehearsalNamePrefix } from './ours.ts';
import { ownerLabel } from './pod.ts';
import { snapshotObject, suffixOf } from './snapshot.ts';
import { upgradeJob, type JobSettings } from './upgrade-job.ts';

/** Of the Lease; an upgrade takes it from a rehearsal. */
export const rehearsalLeaseName = 'postgresql-rehearsal';

/** Of the ConfigMap with the result of the last rehearsal. */
export const rehearsalRecordName = 'postgresql-rehearsal';

/** What the Jobs of a rehearsal do; their names do not begin with the upgrade Job's, so that nobody takes one for a Job on the server's volume. */
export const rehearsalCommands = ['boot', 'upgrade'] as const;
export type RehearsalCommand = (typeof rehearsalCommands)[number];

export function rehearsalJobName(command: RehearsalCommand): string {
  return `${rehearsalNamePrefix}${command}`;
}

/** The majors whose servers a rehearsal starts in pods of their own. */
export const rehearsedMajors = [upgrade.from, upgrade.to] as const;

export function rehearsalPodName(major: number): string {
  return `${rehearsalNamePrefix}${String(major)}`;
}

interface OfClaim {
  readonly volume: Pick<Volume, 'claimName'>;
}

/** Of the snapshot, and of the claim whose volume is made from it. */
export function rehearsalName({ volume }: OfClaim): string {
  return `${volume.claimName}-rehearsal`;
}

/** With the time at which the rehearsal began. */
export const rehearsalLabel = 'circleci-server-postgresql-upgrade/rehearsal';
const runAnnotation = 'circleci-server-postgresql-upgrade/run';

/** Which rehearsal something belongs to. */
export interface RehearsalMark {
  /** The run's address. */
  readonly runId: string;
  readonly begunAt: Date;
}

interface Metadata {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Owner, run and age, for people. The address of a run is no value of a label. */
export function marked<M extends Metadata>(metadata: M, { runId, begunAt }: RehearsalMark) {
  return {
    ...metadata,
    labels: { ...metadata.labels, ...ownerLabel, [rehearsalLabel]: suffixOf(begunAt) },
    annotations: { ...metadata.annotations, [runAnnotation]: runId },
  };
}

/** The snapshot of the running server. */
export function rehearsalSnapshot(target: Target, className: string, mark: RehearsalMark): VolumeSnapshot {
  const object = snapshotObject(target, 'rehearsal', suffixOf(mark.begunAt), className);
  return { ...object, metadata: marked({ ...object.metadata, name: rehearsalName(target) }, mark) };
}

/** The claim whose volume is the copy. */
export function rehearsalClaim(target: Target, source: Source, mark: RehearsalMark): V1PersistentVolumeClaim {
  const object = copyClaim(target, rehearsalName(target), source);
  return { ...object, metadata: marked(object.metadata ?? {}, mark) };
}

/** The server, with the copy in the place of its volume. */
function onCopy(target: Target): Target {
  return { ...target, volume: { ...target.volume, claimName: rehearsalName(target) } };
}

/**
 * The very Job of the upgrade, on the copy: another name, the copy's claim, and what keeps it from disturbing the server. It refuses a server that was not shut down
 * cleanly, as that one does.
 */
export function rehearsalJob(
  target: Target,
  settings: JobSettings,
  scripts: Readonly<Record<string, string>>,
  command: RehearsalCommand,
  { mark, followsServer }: GuestOf,
): V1Job {
  const attached = command === 'upgrade' ? { node: undefined } : undefined;
  const { metadata, spec } = upgradeJob(onCopy(target), settings, command, scripts, attached);
  const template = spec?.template;
  return {
    metadata: marked({ ...metadata, name: rehearsalJobName(command) }, mark),
    spec: {
      ...spec,
      template: {
        metadata: marked(template?.metadata ?? {}, mark),
        spec: asGuest(target, template?.spec ?? { containers: [] }, followsServer),
      },
    },
  };
}

/** Whose pod it is, and where that has to run. */
interface GuestOf {
  readonly mark: RehearsalMark;
  readonly followsServer: boolean;
}

type OnNode = Pick<Target, 'pod' | 'volume' | 'container'>;

/**
 * Keeps a pod of the rehearsal from disturbing the server: it goes to another node where the volume can go to one, puts no pod off its node, and requests no more than the
 * server does. A class of its own would need rights in the whole cluster.
 * @param followsServer whether it must run where the server's volume can be used. Many storages make a copy only there, and a claim that waits for its pod says nothing of that
 */
export function asGuest(target: OnNode, spec: V1PodSpec, followsServer: boolean): V1PodSpec {
  const { pod, volume } = target;
  const containers = spec.containers.map((container) => withinServers(target, container));
  const guest = { ...spec, containers };
  delete guest.priorityClassName;
  const node = pod?.spec?.nodeName;
  const preference = { matchFields: [{ key: 'metadata.name', operator: 'NotIn', values: [node ?? ''] }] };
  const required = followsServer ? volume.persistentVolume?.spec?.nodeAffinity?.required : undefined;
  const nodeAffinity = {
    ...(node === undefined ? {} : { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, preference }] }),
    ...(required === undefined ? {} : { requiredDuringSchedulingIgnoredDuringExecution: required }),
  };
  return { ...guest, ...(node === undefined && required === undefined ? {} : { affinity: { nodeAffinity } }) };
}

/** Quantities that are as good as nothing: where a limit has no request, the request is the limit. */
const least = { cpu: '1m', memory: '1Mi' } as const;

/** By its requests a container gets the CPU of a node that is busy, and keeps its memory where the node has none left: on one node, the server is to have both first. */
function withinServers({ pod, container }: OnNode, guest: V1Container): V1Container {
  const { resources } = guest;
  if (resources === undefined) return guest;
  const running = pod?.spec?.containers.find(({ name }) => name === container.name) ?? container;
  const requests = (['cpu', 'memory'] as const).flatMap((name) => {
    const request = lesser(name, resources, running.resources);
    return request === undefined ? [] : [[name, request] as const];
  });
  const others = Object.entries(resources.requests ?? {}).filter(([name]) => !Object.hasOwn(least, name));
  return { ...guest, resources: { ...resources, requests: Object.fromEntries([...others, ...requests]) } };
}

function lesser(
  name: 'cpu' | 'memory',
  { requests, limits }: V1ResourceRequirements,
  server: V1ResourceRequirements | undefined,
): string | undefined {
  const amount = (quantity: string | undefined) => amountOf(quantity ?? '') ?? 0;
  const servers = server?.requests?.[name] ?? server?.limits?.[name];
  if (amount(requests?.[name] ?? limits?.[name]) <= amount(servers)) return requests?.[name];
  if (amount(servers) > 0) return servers;
  return limits?.[name] === undefined ? undefined : least[name];
}

/**
 * Whether an object is one of a rehearsal of this server: by its name and by what nobody can change in it. The label keeps what a person made under such a name, and alone
 * it proves nothing.
 */
export function isOfRehearsal(target: Pick<Target, 'volume'>) {
  const name = rehearsalName(target);
  const isMarked = (metadata: Metadata | undefined) => metadata?.labels?.[rehearsalLabel] !== undefined;
  return {
    snapshot: ({ metadata, spec }: VolumeSnapshot) =>
      isMarked(metadata) && spec.source.persistentVolumeClaimName === target.volume.claimName,
    claim: ({ metadata, spec }: V1PersistentVolumeClaim) =>
      isMarked(metadata) && [name, target.volume.claimName].includes(spec?.dataSource?.name ?? ''),
    job: (job: V1Job) => isOurJob(job) && namesClaim(job.spec?.template.spec, name),
    pod: (pod: V1Pod) => isMarked(pod.metadata) && isRehearsalPod(pod),
  };
}

function namesClaim(spec: V1PodSpec | undefined, claim: string): boolean {
  return spec?.volumes?.some((volume) => volume.persistentVolumeClaim?.claimName === claim) ?? false;
}
