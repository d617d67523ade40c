import type { V1Container, V1Pod, V1PodSpec, V1Volume, V1VolumeMount } from '@kubernetes/client-node';
import type { Libraries } from '../database/libraries.ts';
import type { DatabaseFacts } from '../database/server.ts';
import { sortOrderSql, type SortOrders } from '../database/sort-order.ts';
import type { SeenImage } from '../target/image-digests.ts';
import type { Target } from '../target/target.ts';
import { upgrade } from '../common/versions.ts';
import { podTemplate } from '../objects/pod.ts';
import { probePrefix } from '../objects/probe-names.ts';
import { pullsOf, type Pulls } from './server-pulls.ts';

export type ProbeRole = 'upgrade' | 'serving';

/** What an image holds. Decision: docs/decisions/0015-images.md */
export interface ImageFacts {
  readonly image: string;
  /** The image that the probe ran, as the node names it. */
  readonly seen?: SeenImage | undefined;
  /** Major of the server in it that upgrades from; undefined in a serving image. */
  readonly oldVersion: string | undefined;
  readonly newVersion: string;
  readonly pgUpgrade: string | undefined;
  /** By "encoding collate ctype": `ok` or what initdb said. */
  readonly initdb: Readonly<Record<string, string>>;
  /** By "encoding collate ctype": the digest of the order in which text sorts. */
  readonly sortOrders: Readonly<Record<string, string>>;
  /** Available extensions and their versions. */
  readonly extensions: Readonly<Record<string, string>>;
  /** By library, as LOAD accepts it: `ok` or the message of PostgreSQL 14; a library without an answer is missing. */
  readonly libraries: Readonly<Record<string, string>>;
  /** By library: whether PostgreSQL 14 starts with it in shared_preload_libraries; `ok` or a message. */
  readonly preloads: Readonly<Record<string, string>>;
}

/** Libraries that an image is asked for, each once. */
export interface AskedLibraries {
  readonly load: readonly string[];
  readonly preload: readonly string[];
}

export const probeContainer = 'probe';

/** Label by which probe pods are found again. */
export const probeLabel = { 'app.kubernetes.io/name': 'postgres-upgrade-probe' } as const;

/**
 * A short-lived pod that runs probe.sh in an image, without any volume of the server. The serving image is pulled as the StatefulSet pulls it.
 * @param imagePullSecret for the upgrade image; '' for none
 */
export function probePod(
  target: Target,
  role: ProbeRole,
  image: string,
  imagePullSecret: string,
  locales: readonly string[],
  libraries: AskedLibraries,
  script: string,
): V1Pod {
  const variables = {
    FROM: String(upgrade.from),
    TO: String(upgrade.to),
    ROLE: role,
    LOCALES: locales.join('\n'),
    LIBRARIES: libraries.load.join('\n'),
    PRELOADS: libraries.preload.join('\n'),
    SORT_ORDER: sortOrderSql(),
  };
  return probePodOf(target, {
    role,
    image,
    ...(role === 'serving' ? { imagePullSecret: '', ...pullsOf(target) } : { imagePullSecret }),
    command: ['sh', '-c', script],
    env: Object.entries(variables).map(([name, value]) => ({ name, value })),
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '1', memory: '512Mi' } },
    lifetime: 900_000,
    room: '2Gi',
  });
}

export interface ProbeParts
  extends Required<Pick<V1Container, 'image' | 'command' | 'env' | 'resources'>>, Partial<Pulls> {
  readonly role: ProbeRole | 'restore-test';
  readonly imagePullSecret: string;
  /** More labels, which never replace the action's own. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Milliseconds after which Kubernetes ends it. */
  readonly lifetime: number;
  /** How much it may write, as a quantity of Kubernetes. */
  readonly room: string;
  /** A container that ends before this one begins. */
  readonly before?: V1Container;
  readonly volumeMounts?: V1VolumeMount[];
  /** Empty directories between the two. */
  readonly volumes?: V1Volume[];
}

/** A labelled pod without any volume of the server, which ends by itself. */
export function probePodOf(
  target: Target,
  {
    role,
    imagePullSecret,
    serviceAccountName,
    labels = {},
    lifetime,
    room,
    before,
    volumes = [],
    ...container
  }: ProbeParts,
): V1Pod {
  const template = podTemplate(target, {
    labels: { ...labels, ...probeLabel, 'postgresql-upgrade/probe': role },
    imagePullSecret,
    volumes,
    room,
    ...(before === undefined ? {} : { before: [{ imagePullPolicy: 'IfNotPresent', ...before }] }),
    container: { name: probeContainer, imagePullPolicy: 'IfNotPresent', ...container },
  });
  return {
    metadata: { ...template.metadata, namespace: target.namespace, generateName: probePrefix(role) },
    spec: {
      ...template.spec,
      containers: template.spec?.containers ?? [],
      ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
      ...whereVolumeGoes(target, template.spec),
      terminationGracePeriodSeconds: 0,
      activeDeadlineSeconds: Math.ceil(lifetime / 1000),
    },
  };
}

/** Keeps a pod without the volume to the nodes that the Job may run on: nodes differ in their platform and in how they reach the registry. */
function whereVolumeGoes({ volume }: Target, spec: V1PodSpec | undefined): Pick<V1PodSpec, 'affinity'> {
  const required = volume.persistentVolume?.spec?.nodeAffinity?.required;
  if (required === undefined) return {};
  const { nodeAffinity } = spec?.affinity ?? {};
  return { affinity: { nodeAffinity: { ...nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: required } } };
}

export interface Locale {
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
}

/** How the probe's facts name a locale. */
export function localeKey({ encoding, collate, ctype }: Locale): string {
  return `${encoding} ${collate} ${ctype}`;
}

/** The locales that the image must have: each one that a database or an index uses, the new cluster's first. */
export function localesOf(initdb: Locale, databases: readonly DatabaseFacts[], orders: SortOrders): string[] {
  const ofIndexes = databases.flatMap((d) =>
    (orders[d.name] ?? []).filter((o) => o.provider === 'libc').map((o) => ({ ...d, ...o })),
  );
  return [...new Set([initdb, ...databases, ...ofIndexes].map(localeKey))];
}

/**
 * What to ask an image for. As pg_upgrade has it, a library comes before a longer name: hstore_plperl needs hstore. The script can't ask for
 * names with a line break or a tab, which get no answer.
 * @param role only the serving image reads the server's configuration
 */
export function librariesFor(role: ProbeRole, { used, preloaded }: Libraries): AskedLibraries {
  const shared = preloaded.filter(({ setting }) => setting === 'shared_preload_libraries');
  const others = [...Object.values(used).flat(), ...preloaded.filter((p) => !shared.includes(p))];
  return { load: askable(others), preload: role === 'serving' ? askable(shared) : [] };
}

function askable(list: readonly { readonly library: string }[]): string[] {
  const names = new Set(list.map(({ library }) => library).filter((library) => !/[\n\r\t]/.test(library)));
  return [...names].sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
}

/** Reads the log of probe.sh; undefined when the script did not finish. */
export function parseProbe(image: string, log: string): ImageFacts | undefined {
  const rows = log.split('\n').map((line) => line.split('\t'));
  if (!rows.some(([fact]) => fact === 'end')) return undefined;
  const value = (name: string) => rows.find(([fact]) => fact === name)?.[1];
  const pairs = (name: string) =>
    Object.fromEntries(
      rows.flatMap(([fact, key, text]) => (fact === name && key !== undefined ? [[key, text ?? '']] : [])),
    );
  return {
    image,
    oldVersion: value('old-version'),
    newVersion: value('new-version') ?? '',
    pgUpgrade: value('pg_upgrade'),
    initdb: pairs('initdb'),
    sortOrders: pairs('sort-order'),
    extensions: pairs('extension'),
    libraries: pairs('library'),
    preloads: pairs('preload'),
  };
}

/** The minor of `postgres (PostgreSQL) 14.22`, or undefined for any other text. */
export function minorOf(version: string | undefined): number | undefined {
  const minor = /\(PostgreSQL\) \d+\.(\d+)/.exec(version ?? '')?.[1];
  return minor === undefined ? undefined : Number(minor);
}

/** The major of `postgres (PostgreSQL) 14.22`, or undefined for any other text. */
export function majorOf(version: string | undefined): number | undefined {
  const major = /\(PostgreSQL\) (\d+)/.exec(version ?? '')?.[1];
  return major === undefined ? undefined : Number(major);
}
