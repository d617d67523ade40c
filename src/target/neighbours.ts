import type { V1Container, V1CronJob, V1Pod, V1PodSpec } from '@kubernetes/client-node';
import { isScaled } from './applications.ts';
import { matchesSelector } from './label-selector.ts';
import type { Target } from './target.ts';

/** A workload of the namespace beside PostgreSQL. */
export interface Neighbour {
  readonly kind: string;
  readonly name: string;
  /** The upgrade stops it and starts it again. */
  readonly isApplication: boolean;
  /** That run now. */
  readonly pods: number;
  /** Of its pods. */
  readonly addresses: readonly string[];
  /** Addresses of the nodes on which they are. */
  readonly nodes: readonly string[];
  /** How its pods name the server: `variable DB_PASSWORD (Secret postgresql)`. */
  readonly uses: readonly string[];
}

/**
 * Who else is in the namespace, by the pods that run and by the CronJobs; a workload without pods does nothing by itself.
 * @param pods without those that the action has made
 */
export function neighboursOf(pods: readonly V1Pod[], cronJobs: readonly V1CronJob[], target: Target): Neighbour[] {
  const names = new Set(cronJobs.map(({ metadata }) => metadata?.name ?? ''));
  const running = pods.filter(
    ({ metadata, status }) =>
      metadata?.name !== target.podName && status?.phase !== 'Succeeded' && status?.phase !== 'Failed',
  );
  const found = new Map<string, Neighbour>();
  const add = (one: Neighbour) => {
    const key = `${one.kind}/${one.name}`;
    const before = found.get(key);
    found.set(key, {
      ...one,
      isApplication: one.isApplication || before?.isApplication === true,
      pods: (before?.pods ?? 0) + one.pods,
      addresses: [...new Set([...(before?.addresses ?? []), ...one.addresses])],
      nodes: [...new Set([...(before?.nodes ?? []), ...one.nodes])],
      uses: [...new Set([...(before?.uses ?? []), ...one.uses])],
    });
  };
  for (const pod of running) {
    const workload = workloadOf(pod, names);
    const addresses = (pod.status?.podIPs ?? [{ ip: pod.status?.podIP ?? '' }]).map(({ ip }) => ip);
    add({
      ...workload,
      isApplication: isStopped(target, workload) || isSelected(target, pod),
      pods: 1,
      addresses: addresses.filter((ip) => ip !== ''),
      nodes: pod.status?.hostIP === undefined ? [] : [pod.status.hostIP],
      uses: usesOf(pod.spec, target),
    });
  }
  for (const { metadata, spec } of cronJobs) {
    const workload = { kind: 'CronJob', name: metadata?.name ?? '' };
    const uses = usesOf(spec.jobTemplate.spec?.template.spec, target);
    add({ ...workload, isApplication: isStopped(target, workload), pods: 0, addresses: [], nodes: [], uses });
  }
  return [...found.values()].sort((a, b) => (`${a.kind}/${a.name}` < `${b.kind}/${b.name}` ? -1 : 1));
}

/** By the names that the controllers give: a ReplicaSet is called after its Deployment and hash, a Job after its CronJob and minute. */
function workloadOf({ metadata }: V1Pod, cronJobs: ReadonlySet<string>): Pick<Neighbour, 'kind' | 'name'> {
  const owner = metadata?.ownerReferences?.find(({ controller }) => controller === true);
  if (owner === undefined) return { kind: 'Pod', name: metadata?.name ?? '' };
  const hash = metadata?.labels?.['pod-template-hash'];
  if (owner.kind === 'ReplicaSet' && hash !== undefined && owner.name.endsWith(`-${hash}`))
    return { kind: 'Deployment', name: owner.name.slice(0, -hash.length - 1) };
  const cronJob = owner.name.replace(/-\d+$/, '');
  if (owner.kind === 'Job' && cronJobs.has(cronJob)) return { kind: 'CronJob', name: cronJob };
  return { kind: owner.kind, name: owner.name };
}

const resourceOf: Readonly<Record<string, string>> = {
  Deployment: 'deployments',
  StatefulSet: 'statefulsets',
  CronJob: 'cronjobs',
};

function isStopped({ applications }: Target, { kind, name }: Pick<Neighbour, 'kind' | 'name'>): boolean {
  return applications.some((w) => w.resource === resourceOf[kind] && w.name === name);
}

/** Of a workload that is stopped, whoever its pod names as its owner. */
function isSelected({ applications }: Target, { metadata }: V1Pod): boolean {
  return applications.some((w) => isScaled(w) && matchesSelector(metadata?.labels ?? {}, w.podSelector));
}

function usesOf(spec: V1PodSpec | undefined, target: Target): string[] {
  const secret = target.secret.name;
  const volumes = (spec?.volumes ?? []).filter(
    (v) => v.secret?.secretName === secret || v.projected?.sources?.some((source) => source.secret?.name === secret),
  );
  return [
    ...[...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].flatMap((one) => usesOfContainer(one, target)),
    ...volumes.map(({ name }) => `volume ${name} (Secret ${secret})`),
  ];
}

function usesOfContainer({ env = [], envFrom = [], command = [], args = [] }: V1Container, target: Target): string[] {
  const secret = target.secret.name;
  const texts = [...command, ...args];
  return [
    ...env.flatMap(({ name, value, valueFrom }) => {
      if (valueFrom?.secretKeyRef?.name === secret) return [`variable ${name} (Secret ${secret})`];
      return namesServer(value ?? '', target, isAddress.test(name))
        ? [`variable ${name} (Service ${target.name})`]
        : [];
    }),
    ...(envFrom.some(({ secretRef }) => secretRef?.name === secret) ? [`all its variables (Secret ${secret})`] : []),
    ...(texts.some((text) => namesServer(text, target, false)) ? [`its command (Service ${target.name})`] : []),
  ];
}

const isAddress = /HOST|ADDR|SERVER|URL|URI|DSN|ENDPOINT/i;

/**
 * Whether a text leads to the server: as the host of a URL or of libpq's keywords, or as a whole where that is known to be an address.
 * The name alone is often no more than a word: `postgresql`.
 */
function namesServer(text: string, { name, namespace, statefulSet }: Target, isWholeAddress: boolean): boolean {
  const services = [...new Set([name, `${name}-hl`, statefulSet.spec?.serviceName ?? name])]
    .join('|')
    .replaceAll('.', '\\.');
  const host = `(?:${services})(?:\\.${namespace}(?:\\.svc[a-z0-9.-]*)?)?(?::\\d+)?`;
  const inText = new RegExp(`(?://(?:[^/@\\s]*@)?|\\bhost[= ])${host}(?=$|[/?,;\\s])`, 'i');
  return inText.test(text) || (isWholeAddress && new RegExp(`^${host}$`, 'i').test(text));
}
