import { expect, test } from '@jest/globals';
import fc from '../../fast-check.ts';
import { isRunError } from '../../../src/common/errors.ts';
import { jobName } from '../../../src/objects/upgrade-job.ts';
import type { Cluster, LeasedCluster } from '../../../src/ports/cluster.ts';
import { leaseName } from '../../../src/objects/lease.ts';
import { withUpgradeLease } from '../../../src/lock/upgrade-lease.ts';
import { FakeClock } from '../fake-clock.ts';
import type { FakeCluster } from '../fake-cluster.ts';
import { FakeLog } from '../fake-runner.ts';
import { cluster as namespaceWithServer, namespace } from '../objects.ts';

/** A change that the API server made: on what, and by the holder of which token. */
interface Effect {
  readonly on: string;
  readonly token: number;
}

const claim = {
  namespace,
  statefulSet: 'postgresql',
  volume: 'pv-1',
  applications: [{ resource: 'deployments', name: 'frontend', replicas: 3, podSelector: {} }],
} as const;

type Request = () => Promise<void>;

/** One contender's connection: its requests wait until it is its turn. */
function slow(cluster: FakeCluster, waiting: Request[], pass: () => void, tell: (on: string) => void): Cluster {
  const calls = ['now', 'find', 'create', 'patch', 'delete'] as const;
  const slowed = Object.fromEntries(
    calls.map((name) => [
      name,
      async (...given: unknown[]) => {
        await new Promise<void>((resolve) => {
          waiting.push(() => {
            resolve();
            return new Promise((done) => setImmediate(done));
          });
        });
        pass();
        const answer = await (cluster[name] as (...parameters: unknown[]) => Promise<unknown>).apply(cluster, given);
        if (name === 'patch' || name === 'delete') tell(given.slice(0, 2).join('/'));
        return answer;
      },
    ]),
  ) as unknown as Cluster;
  return Object.assign(slowed, { address: cluster.address });
}

/** What it does as the holder: changes, also in parallel, and a deletion of what may be another's by then. */
async function work(held: LeasedCluster): Promise<void> {
  const scale = (replicas: number) =>
    held.patch('statefulsets', 'postgresql', namespace, [{ op: 'add', path: '/spec/replicas', value: replicas }]);
  await scale(0);
  for (let n = 0; n < 8; n++) await held.delete('jobs', jobName, namespace);
  await Promise.all([
    scale(1),
    held.patch('deployments', 'frontend', namespace, [{ op: 'add', path: '/spec/replicas', value: 0 }]),
  ]);
  await scale(2);
}

test('of contenders with pauses of any length, none changes or deletes anything after a later one did', async () => {
  const seen = { upgraded: 0, lost: 0, held: 0 };
  await fc.assert(
    fc.asyncProperty(
      // Whose turn it is, and for how many requests: all others are paused meanwhile.
      fc.infiniteStream(fc.record({ who: fc.nat(3), requests: fc.constantFrom(1, 3, 10, 100) })),
      fc.infiniteStream(fc.constantFrom<number>(0, 0, 100, 1000, 30_000, 61_000)),
      fc.integer({ min: 2, max: 4 }),
      async (turns, pauses, contenders) => {
        const cluster = namespaceWithServer();
        const server = new FakeClock();
        cluster.time = () => server.now();
        const effects: Effect[] = [];
        const makeJob = () => cluster.put('jobs', { metadata: { name: jobName, namespace } });
        makeJob();
        const waiting: Request[][] = Array.from({ length: contenders }, () => []);
        const runs = Array.from({ length: contenders }, async (_, index) => {
          const [clock, log, runId] = [new FakeClock(), new FakeLog(), `run-${String(index)}`];
          let token = 0;
          const pass = () => {
            const { value } = pauses.next() as { value: number };
            server.pass(value);
          };
          const own = slow(cluster, waiting[index] ?? [], pass, (on) => {
            if (on === `leases/${leaseName}`) return;
            effects.push({ on, token });
            if (on === `jobs/${jobName}`) makeJob();
          });
          // Its token is known from the log as soon as it has the Lease.
          log.info = (line) => {
            token = Number(/\(fencing token (\d+)\)/.exec(line)?.[1] ?? token);
          };
          try {
            await withUpgradeLease({ connection: own, clock, log }, claim, runId, work);
            seen.upgraded++;
          } catch (error) {
            if (!isRunError(error)) throw error;
            if (error.code === 'lease-lost') seen.lost++;
            else if (error.code === 'upgrade-held') seen.held++;
            else expect(['invalid', 'conflict']).toContain(error.code);
          }
        });
        const over = new AbortController();
        const all = Promise.all(runs).finally(() => {
          over.abort();
        });
        while (!over.signal.aborted) {
          await new Promise((resolve) => setImmediate(resolve));
          const { who, requests } = turns.next().value as { who: number; requests: number };
          for (let n = 0; n < requests; n++) await waiting[who % contenders]?.shift()?.();
        }
        await all;
        for (const on of new Set(effects.map((effect) => effect.on))) {
          const tokens = effects.filter((effect) => effect.on === on).map((effect) => effect.token);
          expect(tokens).toEqual(tokens.toSorted((a, b) => a - b));
        }
      },
    ),
    { numRuns: 500 },
  );
  // Every way to end was seen, so the pauses were of use.
  expect(Math.min(seen.upgraded, seen.lost, seen.held)).toBeGreaterThan(10);
}, 120_000);
