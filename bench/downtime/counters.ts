// What a downtime costs, in numbers that no busy machine changes: for comparisons, and for a test that holds a budget.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { environment, type AuditEvent } from '../../test/cluster/bench.ts';

export interface Counters {
  /** Calls to the API server of which none began before the one before it had ended. A read that is repeated until something has come counts once. */
  readonly serialCalls: number;
  /** Commands in pods. */
  readonly execs: number;
  /** Calls by which the CSI driver attaches a volume to a node, and detaches it. */
  readonly attachments: number;
  readonly detachments: number;
}

/** From when until when, in milliseconds since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * @param events of the user whose calls are counted
 * @param volume the handle of the server's volume
 */
export function countersOf(events: readonly AuditEvent[], span: Span, volume: string): Counters {
  const calls = events.filter((event) => event.verb !== 'watch' && isWithin(span, event.requestReceivedTimestamp));
  const ofDriver = driverCalls(span, volume);
  return {
    serialCalls: longestChain(withoutRepeatedReads(calls)),
    execs: calls.filter(isExec).length,
    attachments: ofDriver.filter((method) => method === 'ControllerPublishVolume').length,
    detachments: ofDriver.filter((method) => method === 'ControllerUnpublishVolume').length,
  };
}

function isExec({ objectRef }: AuditEvent): boolean {
  return objectRef?.subresource === 'exec';
}

/** A wait reads the same again and again; how often depends on the machine. */
function withoutRepeatedReads(calls: readonly AuditEvent[]): AuditEvent[] {
  const seen = new Set<string>();
  return [...calls].sort(byBeginning).filter((call) => {
    const isRead = ['get', 'list'].includes(call.verb) && !isExec(call);
    if (!isRead) {
      // The Lease is renewed all the time, beside everything else.
      if (call.objectRef?.resource !== 'leases') seen.clear();
      return true;
    }
    const isNew = !seen.has(call.requestURI);
    seen.add(call.requestURI);
    return isNew;
  });
}

function byBeginning(a: AuditEvent, b: AuditEvent): number {
  return Date.parse(a.requestReceivedTimestamp) - Date.parse(b.requestReceivedTimestamp);
}

/** The most calls of which no two overlap: those that end first, one after the other. */
function longestChain(calls: readonly AuditEvent[]): number {
  const intervals = calls
    .map((call) => ({ from: Date.parse(call.requestReceivedTimestamp), to: Date.parse(call.stageTimestamp) }))
    .sort((a, b) => a.to - b.to);
  let length = 0;
  let end = -Infinity;
  for (const { from, to } of intervals) {
    if (from < end) continue;
    length++;
    end = to;
  }
  return length;
}

interface DriverCall {
  readonly time: string;
  readonly method: string;
  readonly request?: { readonly volumeId?: string };
}

function driverCalls(span: Span, volume: string): string[] {
  const file = path.join(environment['BENCH_STATE'] ?? '', 'log', 'csi-driver.log');
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as DriverCall)
    .filter(({ time, request }) => isWithin(span, time) && request?.volumeId === volume)
    .map(({ method }) => method);
}

function isWithin({ from, to }: Span, time: string): boolean {
  const at = Date.parse(time);
  return at >= from && at <= to;
}
