import { expect, test } from '@jest/globals';
import { jobName } from '../../../src/objects/upgrade-job.ts';
import { databaseState } from '../fake-database.ts';
import type { Call, FakeCluster } from '../fake-cluster.ts';
import { ending } from './job-controller.ts';
import { live } from './live.ts';

/** What an upgrade may take from the first application that stops until the applications are asked to start, where each wait is over at its first look. */
const most = { commands: 11, serialCalls: 62 };

/**
 * Counts calls as bench/downtime does: serial ones are those of which none began before the one before it had ended, and a read that is repeated counts
 * once. Of those side by side, the first that ends begins the next round.
 */
class Counter {
  commands = 0;
  serialCalls = 0;
  readonly told: string[] = [];
  private isOn = false;
  private isOver = true;
  private round = 0;
  private readonly repeated = new Set<string>();

  constructor(cluster: FakeCluster) {
    cluster.hooks.push((call) => {
      this.turn(call);
    });
    for (const name of ['find', 'list', 'create', 'patch', 'delete', 'podLog', 'watchPod', 'exec'] as const) {
      const method = cluster[name].bind(cluster) as (...given: unknown[]) => Promise<unknown>;
      Object.assign(cluster, {
        [name]: async (...given: unknown[]) => {
          const round = this.begin(name, given);
          try {
            return await method(...given);
          } finally {
            if (round === this.round) this.isOver = true;
          }
        },
      });
    }
  }

  /** The first Deployment that is changed stops, and the first that gets its replicas again starts. */
  private turn({ method, resource, body }: Call): void {
    if (method !== 'patch' || resource !== 'deployments') return;
    const value = JSON.stringify(body);
    if (value.includes('"value":0')) this.isOn ||= this.serialCalls === 0;
    else this.isOn = false;
  }

  /** @returns the round of the call; undefined where it does not count */
  private begin(name: string, given: readonly unknown[]): number | undefined {
    if (!this.isOn) return undefined;
    const key = JSON.stringify([name, ...given.slice(0, name === 'exec' ? 4 : undefined)]);
    if (['find', 'list', 'podLog'].includes(name)) {
      if (this.repeated.has(key)) return undefined;
      this.repeated.add(key);
    } else this.repeated.clear();
    if (name === 'exec') this.commands++;
    if (this.isOver) {
      this.round++;
      this.serialCalls++;
      this.isOver = false;
    }
    this.told.push(`${String(this.round)} ${key.slice(0, 200)}`);
    return this.round;
  }
}

test(`an upgrade takes at most ${String(most.commands)} commands in the pod and ${String(most.serialCalls)} serial calls in the downtime`, async () => {
  const { begin, cluster, state } = await live({ [jobName]: ending(0) }, { jobs: '1' });
  state.databases['circle'] = databaseState({
    relations: [['public.builds', 'rows', '42']],
    extensions: { plpgsql: '1.0', citext: '1.5', pgcrypto: '1.2' },
    available: { citext: '1.6', pgcrypto: '1.3' },
  });
  const counter = new Counter(cluster);
  await begin();
  const isWithin = counter.commands <= most.commands && counter.serialCalls <= most.serialCalls;
  expect(isWithin ? [] : [counter.commands, counter.serialCalls, ...counter.told]).toEqual([]);
  expect(counter.commands).toBeGreaterThan(0);
});
