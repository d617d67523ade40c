/** @jest-environment ./test/cluster/bench-environment.ts */
// Rehearsals that are killed, and one that an upgrade ends.
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { isWhole } from '../../choice.ts';
import { killActionAt, runAction, saysInLog, startAction, type ActionEnd } from '../action.ts';
import { namespace, psql, reset } from '../bench.ts';
import { expectNoLoss } from '../no-loss.ts';
import {
  expectNoneLeft,
  expectNothingLeft,
  expectProduction,
  production,
  storage,
  unacknowledged,
} from '../rehearsed.ts';
import { expireLease } from '../server.ts';

jest.setTimeout(15 * 60_000);

/** The runner's process is killed as soon as this line is in its log. */
const moments = [
  '::group::Isolation of the servers on the copy',
  '::group::Copy of the volume',
  '::group::Recovery of PostgreSQL 12 on the copy',
  '::group::Measurement of PostgreSQL 12 on the copy',
  '::group::pg_upgrade on the copy',
  'pg_upgrade --link',
  '::group::Start of PostgreSQL 14 on the copy',
  '::group::Statistics of PostgreSQL 14 on the copy',
  '::group::Pages of tables and indexes on the copy',
  '::group::Removal of what the rehearsal made',
];
/** By default the one that leaves the most behind. */
const chosen = isWhole ? moments : moments.filter((line) => line.includes('--link'));

describe('a rehearsal', () => {
  let before: { production: ReturnType<typeof production>; storage: string; unacknowledged: string[] };
  let attempt = 0;
  /** Another attempt of the run, as GitHub counts them. */
  const again = () => ({ GITHUB_RUN_ATTEMPT: String(++attempt) });

  beforeAll(() => {
    reset();
    before = { production: production(), storage: storage(), unacknowledged: unacknowledged() };
  });

  test.each(chosen)('that is killed at %j is removed by the next one, which passes', async (line) => {
    const struck = await killActionAt({ namespace, mode: 'rehearse' }, line);
    console.log(`killed after: ${struck}`);
    expireLease(namespace, 'postgresql-rehearsal');
    const end = await runAction({ namespace, mode: 'rehearse' }, again());
    expect([end.report.error, end.exitCode]).toEqual([undefined, 0]);
    await expectNothingLeft(before.storage);
    expectProduction(before.production);
    expect(unacknowledged()).toEqual(before.unacknowledged);
  });

  describe('that is at work when an upgrade begins', () => {
    let ended: ActionEnd;
    let upgrade: ActionEnd;

    beforeAll(async () => {
      const rehearsal = startAction({ namespace, mode: 'rehearse' }, again());
      await saysInLog(rehearsal, '::group::Recovery of PostgreSQL 12 on the copy');
      // Without probes its checks take seconds, and the rehearsal has more to do.
      upgrade = await runAction({ namespace, mode: 'upgrade', confirm: namespace, probes: 'none' }, again());
      ended = await rehearsal.end;
    });

    test('ends, and changes nothing any more', () => {
      expect([ended.exitCode, ended.report.error?.code]).toEqual([1, 'rehearsal-ended']);
    });

    test('is removed by the upgrade, which goes on', () => {
      expect([upgrade.exitCode, upgrade.outputs['verdict'], upgrade.report.error]).toEqual([0, 'upgraded', undefined]);
      expect(upgrade.log).toContain('Removed what a rehearsal had made: ');
      expect(psql(namespace, 'postgres', 'SHOW server_version')).toMatch(/^14\./);
      expectNoneLeft();
      expectNoLoss(namespace);
    });
  });
});
