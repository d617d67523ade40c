import { expect, jest, test } from '@jest/globals';
import { jobName } from '../../../src/objects/upgrade-job.ts';
import { journalName } from '../../../src/objects/journal-name.ts';
import { leaseName } from '../../../src/objects/lease.ts';
import { choiceUpTo } from '../../choice.ts';
import { FakeClock } from '../fake-clock.ts';
import { namespace, newImage, oldImage } from '../objects.ts';
import { collectPods, ending, revertName } from './job-controller.ts';
import { live } from './live.ts';
import { losingAnswer } from './lossy-cluster.ts';
import { runAlone } from './two-runs.ts';

jest.setTimeout(240_000);

const reverted = ending(0, { command: 'revert', outcome: 'reverted', message: 'the old data directory is back' });

async function scene(exitCode: number) {
  const setting = await live({ [jobName]: ending(exitCode), [revertName]: reverted });
  collectPods(setting);
  const server = new FakeClock();
  setting.cluster.time = () => server.now();
  return setting;
}

test.each([
  ['goes well', 0, 'upgraded', newImage],
  ['goes back', 1, 'reverted', oldImage],
] as const)(
  'an upgrade that %s does so whichever answer to a write is lost',
  async (_story, exitCode, outcome, image) => {
    const counted = losingAnswer((await scene(exitCode)).cluster, Infinity);
    await runAlone(counted.cluster, 'run-1').catch(() => undefined);
    expect(counted.writes.length).toBeGreaterThan(30);
    for (const at of choiceUpTo(counted.writes.length, 12)) {
      const setting = await scene(exitCode);
      const { cluster, writes } = losingAnswer(setting.cluster, at);
      const end = await runAlone(cluster, 'run-1').catch((error: unknown) => error);
      const lost = writes[at - 1];
      const journal = setting.cluster.peek('configmaps', journalName, namespace);
      const lease = setting.cluster.peek('leases', leaseName, namespace);
      const told = end instanceof Error && 'code' in end ? end.code : end;
      expect({
        lost,
        told,
        image: setting.image(),
        journal: journal?.data?.['outcome'],
        lease: lease?.spec?.holderIdentity,
      }).toEqual({ lost, told: outcome, image, journal: outcome, lease: '' });
    }
  },
);
