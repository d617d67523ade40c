// One upgrade of a fresh server, seen from outside.
import { setTimeout as sleep } from 'node:timers/promises';
import { AuditLog, bench, kubectl, psql } from '../../test/cluster/bench.ts';
import { replicas } from '../../test/cluster/server.ts';
import { verifyWriter } from '../../test/cluster/writer.ts';
import { countersOf, type Counters } from './counters.ts';
import { Observer } from './observer.ts';
import { Phases, sinceStop, type TimedPhase } from './phases.ts';
import type { Profile } from './profile.ts';
import { acknowledgements, backSince } from './writer-journal.ts';

/** What one upgrade took, in seconds. */
export interface Measured {
  /** From the first application told to stop until all are back and a client's change is acknowledged again. */
  readonly downtime: number;
  /** From the same moment until the downtime is over and the statistics are there too. */
  readonly whole: number;
  /** The downtime as the upgrade itself tells it, if it does. */
  readonly told: number | undefined;
  /** Those that had not ended when the first application was told to stop, in the order in which they began. */
  readonly phases: readonly TimedPhase[];
  readonly counters: Counters;
}

/** How an upgrade ended that came to its end. */
export interface Ended {
  /** The downtime as it tells it itself, in seconds. */
  readonly told?: number;
  /** When the statistics were there, in milliseconds since 1970; undefined when nothing says that. */
  readonly analyzed?: number;
}

/**
 * @throws Error when the upgrade did not end with a whole 14: a fast way that loses something is no measure
 */
export async function measure(
  namespace: string,
  fixture: readonly string[],
  profile: Profile,
  upgrade: (phases: Phases, kubeconfig: string) => Promise<Ended>,
): Promise<Measured> {
  bench('reset', '--namespace', namespace, ...fixture, ...profile.reset);
  // What was never written could not be lost.
  while (verifyWriter(namespace).acknowledged < 200) await sleep(500);
  const before = replicas(namespace);
  const volume = volumeOf(namespace, 'data-postgresql-0');
  const audit = new AuditLog();
  const observer = await Observer.start(namespace);
  const phases = new Phases();
  const running = await profile.begin(volumeOf(namespace, 'writer-journal'));
  try {
    const { told, analyzed } = await upgrade(phases, running.kubeconfig);
    expectWhole(namespace, before);
    const answers = backSince(acknowledgements(namespace));
    const { stopped, back } = observer;
    if (stopped === undefined || back === undefined || answers === undefined || answers < stopped)
      throw new Error('the applications were never stopped, or are not back');
    const up = Math.max(back, answers);
    return {
      downtime: (up - stopped) / 1000,
      whole: (Math.max(up, analyzed ?? 0) - stopped) / 1000,
      told,
      phases: sinceStop(phases.all, stopped),
      counters: countersOf(audit.events(), { from: stopped, to: up }, volume),
    };
  } finally {
    observer.stop();
    await running.end();
  }
}

/** The driver's handle of the volume of a claim. */
export function volumeOf(namespace: string, claim: string): string {
  const name = kubectl('-n', namespace, 'get', 'pvc', claim, '-o', 'jsonpath={.spec.volumeName}');
  return kubectl('get', 'pv', name, '-o', 'jsonpath={.spec.csi.volumeHandle}');
}

function expectWhole(namespace: string, before: Record<string, string>): void {
  const version = psql(namespace, 'postgres', 'SHOW server_version');
  if (!version.startsWith('14.')) throw new Error(`PostgreSQL ${version} serves`);
  const { lost, doubled, unexpected } = verifyWriter(namespace);
  const wrong = lost.length + doubled.length + unexpected.length;
  if (wrong > 0) throw new Error(`${String(wrong)} of the writer's rows are wrong`);
  const after = replicas(namespace);
  if (JSON.stringify(after) !== JSON.stringify(before))
    throw new Error(`not as before: ${JSON.stringify(after)} instead of ${JSON.stringify(before)}`);
}
