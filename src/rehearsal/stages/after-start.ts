// What the upgrade does on PostgreSQL 14 after the comparison, and what it never has the time for.
import { amcheckSql, lookedIn } from '../../database/amcheck.ts';
import { outdatedIn } from '../../database/extension-updates.ts';
import { changedOrders, reindexSql } from '../../database/sort-order.ts';
import { fullStatistics, quickStatistics } from '../../database/statistics.ts';
import { updateExtensions } from '../../database/update-extensions.ts';
import { failed, notProbed, passed, unknown, warning } from '../../findings/finding.ts';
import { secondsSince } from '../../ports/clock.ts';
import { withHeartbeat } from '../../ports/heartbeat.ts';
import type { RehearsalContext } from '../context.ts';
import { expectMeasured, type Stage } from '../stage.ts';

/** Milliseconds for each database. */
const limit = 6 * 60 * 60_000;

/** Runs a script in each database that was measured, and says how long that took. */
async function timed(
  { clock, log }: RehearsalContext,
  { server, before }: ReturnType<typeof expectMeasured>,
  doing: string,
  sql: string,
) {
  const begun = clock.monotonic();
  const names = Object.keys(before.fingerprint.databases);
  const rows = await withHeartbeat({ doing, limit, limitOf: 'each database', clock, log }, () =>
    server.writeEach(names, sql, limit),
  );
  return { rows, seconds: String(secondsSince(clock, begun)), databases: names.length };
}

/** As the upgrade updates them. */
export const extensions: Stage = {
  id: 'rehearsal-extensions',
  title: 'Updates of the extensions on the copy',

  async run({ settings, inputs }, memory) {
    const { server } = expectMeasured(memory);
    const outdated = memory.after && outdatedIn(memory.after.answers);
    const limits = { sessions: settings.jobs, limit: inputs.startTimeout };
    const { updated, warnings } = await updateExtensions({ database: server, ...limits, outdated });
    const evidence = updated.length === 0 ? ['No extension was updated'] : updated;
    return warnings.length === 0
      ? passed(...evidence)
      : warning('The upgrade says the same, and goes on. Do it on PostgreSQL 14.', ...evidence, ...warnings);
  },
};

/** The quick and the full pass of ANALYZE, as the upgrade runs them: its clients are missing. */
export const statistics: Stage = {
  id: 'rehearsal-statistics',
  title: 'Statistics of PostgreSQL 14 on the copy',

  async run(context, memory) {
    const measured = expectMeasured(memory);
    const quick = await timed(context, measured, 'estimating the statistics of the copy', quickStatistics);
    const full = await timed(context, measured, 'rebuilding the statistics of the copy', fullStatistics);
    const evidence = [
      `The quick ANALYZE of ${String(quick.databases)} databases took ${quick.seconds} s`,
      `The full ANALYZE took ${full.seconds} s`,
    ];
    const left = [...full.rows].flatMap(([name, rows]) => rows.map((row) => `${name}: ${JSON.stringify(row)}`));
    return left.length === 0
      ? passed(...evidence)
      : warning('Look at what these tables have that ANALYZE can not take.', ...evidence, ...left);
  },
};

/** Whether PostgreSQL 14 sorts as PostgreSQL 12 did, and how long the rebuild of the indexes takes that it would mislead. */
export const sortOrder: Stage = {
  id: 'rehearsal-sort-order',
  title: 'Sort order of PostgreSQL 14 on the copy',

  async run(context, memory) {
    const { server, before } = expectMeasured(memory);
    const changed = Object.entries(changedOrders(before.sortOrders, memory.after?.sortOrders ?? {}));
    if (changed.length === 0) return passed('Every collation sorts text as before');
    const evidence: string[] = [];
    for (const [name, collations] of changed) {
      const begun = context.clock.monotonic();
      const rebuilt = await server.writeEach([name], reindexSql(collations), limit);
      const seconds = String(secondsSince(context.clock, begun));
      evidence.push(
        `${name}: ${collations.join(', ')} sort differently. The rebuild of ${String(rebuilt.get(name)?.length ?? 0)} indexes took ${seconds} s`,
      );
    }
    return warning(
      'The upgrade rebuilds these indexes in the downtime. Expect it to take as long as here.',
      ...evidence,
    );
  },
};

/** Damage that pg_upgrade carries over: it never reads a page of a table. */
export const pages: Stage = {
  id: 'rehearsal-pages',
  title: 'Pages of tables and indexes on the copy',

  async run(context, memory) {
    const budget = context.inputs.amcheckBudget;
    if (budget === 0)
      return notProbed(
        'The input "amcheck-budget" says not to look. The upgrade keeps what is damaged.',
        'Set "amcheck-budget", or run pg_amcheck of PostgreSQL 14 on the server that runs.',
        'Nobody looked at the pages',
      );
    const measured = expectMeasured(memory);
    const { rows, seconds } = await timed(context, measured, 'checking the pages of the copy', amcheckSql(budget));
    const looked = [...rows].map(([name, of]) => ({ name, ...lookedIn(of) }));
    const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);
    const [checked, all] = [sum(looked.map((one) => one.checked)), sum(looked.map((one) => one.of))];
    const others = sum(looked.map((one) => one.others));
    const damaged = looked.flatMap(({ name, damaged }) =>
      damaged.map(([relation, words]) => `${name}: ${relation}: ${words}`),
    );
    if (looked.some(({ lacks }) => lacks === true))
      return warning(
        'Run pg_amcheck of another installation of PostgreSQL 14 on the server that runs.',
        'The image of PostgreSQL 14 has no amcheck, so that nobody looked at the pages',
      );
    const evidence = [
      `amcheck looked at ${String(checked)} of ${String(all)} heap tables and btree indexes in ${seconds} s`,
      `It can not look at ${String(others)} others: indexes of other kinds, invalid indexes, and sequences`,
    ];
    if (damaged.length > 0)
      return failed(
        'Restore or rebuild these relations on the server that runs: REINDEX an index, restore a table from a backup. Then rehearse again.',
        ...damaged,
        ...evidence,
      );
    if (checked === 0 && all > 0)
      return unknown(
        'Look into the log of PostgreSQL 14. Rehearse again, or run pg_amcheck of PostgreSQL 14 on the server that runs.',
        ...evidence,
      );
    return checked === all
      ? passed(...evidence)
      : warning(
          'Raise "amcheck-budget", or run pg_amcheck on the server for the largest ones: the rehearsal could not look at them.',
          ...evidence,
        );
  },
};
