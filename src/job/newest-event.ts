import type { V1Pod } from '@kubernetes/client-node';
import type { ClusterReader } from '../ports/cluster.ts';

/**
 * What the newest event about an object says, quoted since others may write events too, such as why a Job gets no pod.
 * @returns undefined when there is none
 */
export async function newestEvent(
  cluster: ClusterReader,
  namespace: string,
  object: string,
): Promise<string | undefined> {
  return await newest(cluster, namespace, `involvedObject.name=${object}`);
}

/**
 * Why a pod does not start yet, with what only its events tell: a volume that is not attached or mounted.
 * @param reason by its status
 */
export async function withWarning(cluster: ClusterReader, { metadata }: V1Pod, reason: string): Promise<string> {
  if (reason !== 'ContainerCreating') return reason;
  // By the UID: PostgreSQL's pod had the same name before, and its last events are still there.
  const selector = `involvedObject.uid=${metadata?.uid ?? ''},type=Warning`;
  const warning = await newest(cluster, metadata?.namespace ?? '', selector);
  return warning === undefined ? reason : `${reason}: ${warning}`;
}

/** Reasons of warnings for which no pod waits. The kubelet sends this one for each pod where it has no address of a DNS server, and starts the pod all the same. */
const harmless: readonly (string | undefined)[] = ['MissingClusterDNS'];

async function newest(cluster: ClusterReader, namespace: string, fieldSelector: string): Promise<string | undefined> {
  const events = (await cluster.list('events', { namespace, fieldSelector })).filter(
    ({ reason }) => !harmless.includes(reason),
  );
  // Repeated events have only lastTimestamp renewed, and those of newer clients only eventTime.
  const timeOf = ({ lastTimestamp, eventTime, metadata }: (typeof events)[number]) =>
    new Date(lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? 0).getTime();
  const message = events.toSorted((a, b) => timeOf(a) - timeOf(b)).at(-1)?.message;
  return message === undefined ? undefined : `event ${quoted(message)}`;
}

/**
 * Others' words in a sentence of ours, in quotation marks. Nothing in them ends the quotation, or is a command of ours (`prose`), which people would run.
 */
function quoted(others: string): string {
  return `"${others.replace(/["`]/g, "'")}"`;
}
