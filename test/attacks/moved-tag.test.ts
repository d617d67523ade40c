// A tag is moved to another image after the checks have asked it.
import { describe, expect, test } from '@jest/globals';
import type { V1Node } from '@kubernetes/client-node';
import { isRunError } from '../../src/common/errors.ts';
import { jobName, revertJobName } from '../../src/objects/upgrade-job.ts';
import { inputs, namespace, newImage, oldImage } from '../unit/objects.ts';
import { known, servingProbe, unread, upgradeProbe } from '../unit/prechecks/facts.ts';
import { ending } from '../unit/upgrade/job-controller.ts';
import { live } from '../unit/upgrade/live.ts';

const [a, b] = ['a', 'b'].map((digit) => `sha256:${digit.repeat(64)}`) as [string, string];
const toolbox = inputs().upgradeImage;
const repository = toolbox.replace(/:[^:]*$/, '');
const served = newImage.replace(/:[^:]*$/, '');

const node = (name: string): V1Node => ({
  metadata: { name },
  status: { nodeInfo: { architecture: 'amd64', containerRuntimeVersion: 'containerd://2.1.4' } as never },
});

interface World {
  /** imageID of the probes, of the Jobs' pods, and of the server's pod; the last by its image's reference. */
  readonly probed: { readonly upgrade: string; readonly serving: string };
  readonly ofJobs?: string;
  readonly ofServer?: string;
  readonly given?: Readonly<Record<string, string>>;
}

/** An upgrade in which the nodes tell these images. */
async function upgraded({ probed, ofJobs = '', ofServer = '', given = {} }: World) {
  const setting = await live({ [jobName]: ending(0), [revertJobName]: ending(0, { command: 'revert' }) }, given);
  const { cluster, begin, context } = setting;
  cluster.put('nodes', node('node-1'), node('node-2'));
  const jobImages: string[] = [];
  let released = false;
  cluster.hooks.push((call) => {
    if (call.method === 'create' && call.resource === 'jobs') {
      const job = call.body as { spec: { template: { spec: { containers: { image: string }[] } } } };
      jobImages.push(job.spec.template.spec.containers[0]?.image ?? '');
    }
    released ||= setting.image() === newImage && setting.replicas() !== 0;
    for (const pod of cluster.all('pods')) {
      const isServer = pod.metadata?.name === context.target.podName;
      const isNew = pod.spec?.containers[0]?.image === newImage;
      const imageID = isServer ? (isNew ? ofServer : '') : ofJobs;
      const [status] = pod.status?.containerStatuses ?? [
        { name: 'postgresql', image: '', imageID: '', ready: true, restartCount: 0 },
      ];
      if (status === undefined || imageID === '' || status.imageID === imageID) continue;
      const spec = { containers: [], ...pod.spec, nodeName: 'node-2' };
      cluster.put('pods', { ...pod, spec, status: { ...pod.status, containerStatuses: [{ ...status, imageID }] } });
    }
  });
  const seen = (imageId: string) => ({ imageId, node: 'node-1' });
  const code = await begin({
    nodes: known([node('node-1'), node('node-2')]),
    upgradeProbe: known({ ...upgradeProbe, seen: seen(probed.upgrade) }),
    servingProbe: known({ ...servingProbe, seen: seen(probed.serving) }),
  }).then(
    () => 'upgraded',
    (error: unknown) => {
      if (!isRunError(error)) throw error;
      return `${error.code}: ${error.message}`;
    },
  );
  return { ...setting, code, jobImages, warnings: context.results.warnings, wasReleased: () => released };
}

describe('a tag that is moved after the checks', () => {
  test('does not reach the Job, which names the image by the digest that the probe ran', async () => {
    const probed = { upgrade: `${repository}@${a}`, serving: `${served}@${a}` };
    const { code, jobImages, wasReleased } = await upgraded({ probed, ofServer: `${served}@${a}` });
    expect([code, wasReleased()]).toEqual(['upgraded', true]);
    expect(new Set(jobImages)).toEqual(new Set([`${toolbox}@${a}`]));
  });

  test('of an image that no node has by digest is seen in the proof of the backup, before anything is stopped', async () => {
    const probed = { upgrade: a, serving: `${served}@${a}` };
    const { code, image, replicas, jobImages } = await upgraded({ probed, ofJobs: b });
    expect(code).toMatch(/runs another image than the checks saw/);
    expect([image(), replicas(), jobImages]).toEqual([oldImage, 3, [toolbox]]);
  });

  test('of such an image, seen by the upgrade Job first, brings PostgreSQL 12 back', async () => {
    const probed = { upgrade: a, serving: `${served}@${a}` };
    const world = { probed, ofJobs: b, given: { 'verify-backup': 'false' } };
    const { code, image, replicas, journal } = await upgraded(world);
    expect(code).toMatch(/^reverted: .*runs another image than the checks saw/s);
    expect([image(), replicas(), journal()?.['outcome']]).toEqual([oldImage, 3, 'reverted']);
  });

  test('to which PostgreSQL 14 was started brings PostgreSQL 12 back before the applications are restarted', async () => {
    const probed = { upgrade: `${repository}@${a}`, serving: `${served}@${a}` };
    const { code, image, replicas, wasReleased } = await upgraded({ probed, ofServer: `${served}@${b}` });
    expect(code).toMatch(/^reverted: .*runs another image than the checks saw.*aaa.*bbb/s);
    expect([image(), replicas()]).toEqual([oldImage, 3]);
    expect(wasReleased()).toBe(false);
  });
});

describe('an image of which can not be told', () => {
  test('whether it is the one that the checks saw does not stop the upgrade, and is said', async () => {
    const probed = { upgrade: `${repository}@${a}`, serving: `${served}@${a}` };
    const { code, warnings } = await upgraded({ probed, ofServer: `mirror.example.com/postgres@${b}` });
    expect(code).toBe('upgraded');
    expect(warnings.join('\n')).toContain(
      `can't tell whether PostgreSQL (${served}:14.22.4094-4922444) runs the image that the checks saw: the checks saw ${served}@${a} on node node-1, and mirror.example.com/postgres@${b} runs on node node-2`,
    );
  });

  test('what the checks saw, since no probe was asked, is run by its name', async () => {
    const { begin, context, cluster } = await live();
    const nobody = { upgradeProbe: unread('not-asked'), servingProbe: unread('not-asked') };
    await begin(nobody);
    const job = cluster.all('jobs').find(({ metadata }) => metadata?.namespace === namespace);
    expect(job?.spec?.template.spec?.containers[0]?.image ?? toolbox).toBe(toolbox);
    expect(context.results.warnings).toEqual([]);
  });
});
