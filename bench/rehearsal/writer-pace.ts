// What a client of production feels, by the writer's journal: each change is noted before it is sent, and once it is acknowledged.
import { writerJournal } from '../downtime/writer-journal.ts';
import { median } from '../precheck/median.ts';

export interface Pace {
  /** Changes a second. */
  readonly throughput: number;
  /** Milliseconds from the request until it was acknowledged: the median, and that of 99 %. */
  readonly median: number;
  readonly slowest: number;
}

/** @param span in milliseconds since 1970 */
export function paceOf(namespace: string, span: { readonly from: number; readonly to: number }): Pace {
  const sent = new Map<number, number>();
  const latencies: number[] = [];
  for (const { change, acknowledged, time } of writerJournal(namespace)) {
    const at = Date.parse(time);
    const since = sent.get(change);
    if (acknowledged !== true) sent.set(change, at);
    else if (since !== undefined && since >= span.from && at <= span.to) latencies.push(at - since);
  }
  const sorted = latencies.sort((a, b) => a - b);
  return {
    throughput: (sorted.length * 1000) / (span.to - span.from),
    median: median(sorted),
    slowest: sorted[Math.floor(sorted.length * 0.99)] ?? NaN,
  };
}
