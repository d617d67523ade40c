// What takes long and is no wait: the log has a line a minute about it all the same.
import { describe, expect, test } from '@jest/globals';
import { analyze } from '../../../src/upgrade/steps/analyze.ts';
import { quiesce } from '../../../src/upgrade/steps/quiesce.ts';
import { rebuildIndexes } from '../../../src/upgrade/steps/rebuild-indexes.ts';
import { verify } from '../../../src/upgrade/steps/verify.ts';
import { sortOrder } from '../prechecks/facts.ts';
import { setUp, type Setting } from './context.ts';

/** A server in which each command that matches takes 90 s. */
async function slowed(slow: RegExp): Promise<Setting> {
  const setting = await setUp();
  const { cluster, clock } = setting;
  const exec = cluster.exec.bind(cluster);
  cluster.exec = async (namespace, pod, container, command, stdin, timeout) => {
    if (slow.test(`${command.join(' ')} ${stdin}`)) for (let second = 0; second < 90; second++) await clock.sleep(1000);
    return await exec(namespace, pod, container, command, stdin, timeout);
  };
  return setting;
}

/** The first line: on a clock that only sleep moves, sessions side by side take their times together. */
const told = ({ log }: Setting) => log.lines.find((line) => line.startsWith('Still '));

describe('a line a minute while', () => {
  test('the data is measured and written to disk', async () => {
    const setting = await slowed(/last_value/);
    setting.context.timeline.expect({ quiesce: 12.4 });
    await quiesce.run(setting.context);
    expect(told(setting)).toBe(
      'Still measuring the data and writing it to disk (60 s, expected about 12 s, at most 30 min for each database)',
    );
    expect(setting.clock.repeating).toBe(0);
  });

  test('the data is measured again', async () => {
    const setting = await slowed(/last_value/);
    await quiesce.run(setting.context);
    setting.log.lines.length = 0;
    await verify.run(setting.context);
    expect(told(setting)).toBe('Still measuring the data of PostgreSQL 14 (60 s, at most 30 min for each database)');
  });

  test('indexes are rebuilt', async () => {
    const setting = await slowed(/REINDEX/);
    await rebuildIndexes(setting.context, { circle: [sortOrder] }, { circle: [{ ...sortOrder, digest: 'other' }] });
    expect(told(setting)).toBe('Still rebuilding the indexes of database circle (60 s, at most 6 h)');
  });

  test('the statistics are rebuilt', async () => {
    const setting = await slowed(/ANALYZE/);
    setting.context.timeline.expect({ analyze: 40 });
    await analyze.run(setting.context);
    expect(told(setting)).toBe(
      'Still rebuilding the statistics of 3 databases (60 s, expected about 40 s, at most 6 h for each database)',
    );
  });
});
