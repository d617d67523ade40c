import type { V1Pod } from '@kubernetes/client-node';
import type { ClusterReader } from '../ports/cluster.ts';

/**
 * What the newest event about an object says, quoted since others may write events too, such as why a Job gets no pod or why a pod's volume is not attached.
 * @param type of events, all of them unless it is given
 * @returns undefined when there is none
 */
export async function newestEvent(
  cluster: ClusterReader,
  namespace: string,
  object: string,
  type?: 'Warning',
): Promise<string | undefined> {
  const fieldSelector = [`involvedObject.name=${object}`, ...(type === undefined ? [] : [`type=${type}`])].join(',');
  const events = await cluster.list('events', { namespace, fieldSelector });
  // Repeated events have only lastTimestamp renewed, and those of newer clients only eventTime.
  const timeOf = ({ lastTimestamp, eventTime, metadata }: (typeof events)[number]) =>
    new Date(lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? 0).getTime();
  const message = events.toSorted((a, b) => timeOf(a) - timeOf(b)).at(-1)?.message;
  return message === undefined ? undefined : `event ${quoted(message)}`;
}

/**
 * Why a pod does not start yet, with what only its events tell: a volume that is not attached or mounted.
 * @param reason by its status
 */
export async function withWarning(cluster: ClusterReader, { metadata }: V1Pod, reason: string): Promise<string> {
  if (reason !== 'ContainerCreating') return reason;
  const warning = await newestEvent(cluster, metadata?.namespace ?? '', metadata?.name ?? '', 'Warning');
  return warning === undefined ? reason : `${reason}: ${warning}`;
}

/**
 * Others' words in a sentence of ours, in quotation marks. Nothing in them ends the quotation, or is a command of ours (`prose`), which people would run.
 */
function quoted(others: string): string {
  return `"${others.replace(/["`]/g, "'")}"`;
}
