/** @jest-environment ./test/cluster/bench-environment.ts */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { isWhole } from '../../choice.ts';
import { startAction, type ActionEnd } from '../action.ts';
import { bench, namespace, psql } from '../bench.ts';
import { Network } from '../network.ts';
import { expectNoLoss } from '../no-loss.ts';
import { expireLease, replicas, statefulSet } from '../server.ts';

jest.setTimeout(15 * 60_000);

interface Trouble {
  /** It begins when this is in the log. */
  readonly line: string;
  /** @returns how many requests it met: refused, or still without an answer */
  readonly strike: (network: Network) => number | Promise<number>;
}

/** So long that the Lease expires meanwhile: nobody else asks for it, so it stays this run's. */
const away: Trouble['strike'] = async (network) => {
  const back = network.down(5000);
  expireLease(namespace);
  await back;
  return network.refused;
};

/** Each of them ends upgraded: the run waits until the API server is there again, and repeats what was cut short. */
const troubles: Readonly<Record<string, Trouble>> = {
  'is away while pg_upgrade is at work': { line: 'pg_upgrade --link', strike: away },
  'is away while the applications are being stopped': {
    line: '::group::Stop the applications',
    strike: away,
  },
  'loses all connections while the data is measured': {
    line: '::group::Wait for the last client, measure the data, checkpoint',
    strike: whenCommandsRun((network) => network.reset()),
  },
  'loses all connections during ANALYZE': {
    line: '::group::Rebuild the statistics (ANALYZE)',
    strike: whenCommandsRun((network) => network.reset()),
  },
  'falls silent on the connections of ANALYZE': {
    line: '::group::Rebuild the statistics (ANALYZE)',
    strike: whenCommandsRun((network) => network.silence()),
  },
};
/** By default one of either kind. */
const chosen = Object.entries(troubles).filter(
  ([name]) => isWhole || /applications are being stopped|data is measured/.test(name),
);

describe.each(chosen)('an upgrade whose API server %s', (_name, { line, strike }) => {
  let network: Network;
  let before: ReturnType<typeof replicas>;
  let struck: number;
  let end: ActionEnd;

  beforeAll(async () => {
    bench('reset', '--namespace', namespace);
    before = replicas(namespace);
    network = await Network.begin();
    const kubeconfig = network.kubeconfig();
    const action = startAction({ namespace, mode: 'upgrade', confirm: namespace, kubeconfig });
    const over = action.end.then(() => {
      throw new Error(`the run ended before its log had: ${line}\n${action.log()}`);
    });
    const begun = new Promise<void>((resolve) =>
      action.process.stdout?.on('data', () => {
        if (action.log().includes(line)) resolve();
      }),
    );
    await Promise.race([begun, over]);
    over.catch(() => undefined);
    struck = await strike(network);
    end = await action.end;
  });

  afterAll(async () => {
    await network.end();
  });

  test('meets the trouble, and ends upgraded', () => {
    console.log(`requests met: ${String(struck)}; ${end.log.match(/^Can't .*trying again.*$/gm)?.join(' ⏎ ') ?? ''}`);
    expect(struck).toBeGreaterThan(0);
    expect([end.exitCode, end.outputs['verdict'], end.report.error]).toEqual([0, 'upgraded', undefined]);
    expect(end.report.warnings).toEqual([]);
    expect(psql(namespace, 'postgres', 'SHOW server_version')).toMatch(/^14\./);
  });

  test('loses no change and leaves nothing behind', () => {
    expectNoLoss(namespace);
    expect(replicas(namespace)).toEqual(before);
    expect(statefulSet(namespace).gates).toBeUndefined();
    expect(statefulSet(namespace).managers).not.toContain('circleci-server-postgresql-upgrade');
  });
});

/** Strikes again and again for a while, so that it meets the commands in the pod whenever they run. */
function whenCommandsRun(strike: (network: Network) => number): Trouble['strike'] {
  return async (network) => {
    let met = 0;
    for (let time = 0; time < 6; time++) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      met += strike(network);
    }
    return met;
  };
}
