import { expect, test } from '@jest/globals';
import { copyName } from '../../../../src/objects/copy.ts';
import { bootJobName } from '../../../../src/objects/upgrade-job.ts';
import { proveBackup } from '../../../../src/upgrade/backup/prove.ts';
import { namespace } from '../../objects.ts';
import { setUp } from '../context.ts';
import { controlJobs } from '../job-controller.ts';
import { controlStorage } from '../storage-controller.ts';

async function proved() {
  const setting = await setUp();
  controlStorage(setting);
  controlJobs(setting, {});
  await proveBackup.run(setting.context);
  return setting;
}

test('a backup is proved by PostgreSQL 12 that starts on a copy of it; the copy goes, the snapshot stays for the next one', async () => {
  const { cluster, context, log } = await proved();
  const [snapshot] = cluster.all('volumesnapshots').map(({ metadata }) => metadata.name);
  expect(snapshot).toMatch(/^data-postgresql-0-live-\d{14}$/);
  expect(cluster.writes).toEqual(
    expect.arrayContaining([`create persistentvolumeclaims/${copyName(context.target)}`, `create jobs/${bootJobName}`]),
  );
  expect(cluster.peek('persistentvolumeclaims', copyName(context.target), namespace)).toBeUndefined();
  expect(log.text).toContain('starts on the copy');
});

test('its undo removes the snapshot', async () => {
  const { cluster, context } = await proved();
  await proveBackup.undo?.(context);
  expect(cluster.all('volumesnapshots')).toEqual([]);
});
