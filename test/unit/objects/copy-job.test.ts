import { describe, expect, test } from '@jest/globals';
import { copyJob, copyJobName, trialBytes } from '../../../src/objects/copy-job.ts';
import { isOurJob } from '../../../src/objects/ours.ts';
import { setUp } from '../upgrade/context.ts';

const scripts = { 'upgrade.sh': 'echo upgrade', 'copy.sh': 'echo copy', 'report.sh': 'true', 'literals.awk': '{}' };

async function made(work: Partial<Parameters<typeof copyJob>[3]> = {}, fsGroup: number | null = 1001) {
  const { context } = await setUp();
  const { target, settings } = context;
  const job = copyJob({ ...target, fsGroup: fsGroup ?? undefined }, settings, scripts, {
    ...{ command: 'copy', source: target.volume.claimName, copy: 'data-copy' },
    ...work,
  });
  const spec = job.spec?.template.spec;
  return { job, spec, container: spec?.containers[0] };
}

describe('the Job that copies a volume', () => {
  test('has the volume that it copies read-only, and lets the kubelet relabel it', async () => {
    const { job, spec, container } = await made();
    expect(job.metadata?.name).toBe(copyJobName);
    expect(isOurJob(job)).toBe(true);
    expect(spec?.volumes?.slice(0, 2)).toEqual([
      { name: 'source', persistentVolumeClaim: { claimName: 'data-postgresql-0' } },
      { name: 'copy', persistentVolumeClaim: { claimName: 'data-copy' } },
    ]);
    expect(container?.volumeMounts?.slice(0, 2)).toEqual([
      { name: 'source', mountPath: '/source', readOnly: true },
      { name: 'copy', mountPath: '/copy' },
    ]);
  });

  test('has the kubelet open the new volume to the server, and runs as its user', async () => {
    const { spec } = await made();
    expect(spec?.securityContext).toMatchObject({
      ...{ runAsNonRoot: true, runAsUser: 1001, fsGroup: 1001, fsGroupChangePolicy: 'OnRootMismatch' },
    });
    expect((await made({}, null)).spec?.securityContext).not.toHaveProperty('fsGroup');
  });

  test('is never repeated, and never ended by a deadline', async () => {
    const { job } = await made();
    expect(job.spec?.backoffLimit).toBe(0);
    expect(job.spec).not.toHaveProperty('activeDeadlineSeconds');
  });

  test('holds the scripts that it runs, and no others', async () => {
    const { container } = await made({ command: 'restore' });
    expect(container?.command?.slice(4)).toEqual([
      ...['copy.sh', 'echo copy', 'report.sh', 'true', 'literals.awk', '{}', 'restore'],
    ]);
  });

  test('that tries a volume has no other one, and goes to the node that it is told', async () => {
    const { spec, container } = await made({ command: 'room', source: undefined, neededBytes: 42, node: 'node-7' });
    expect(spec?.volumes?.map(({ name }) => name)).not.toContain('source');
    expect(container?.env).toContainEqual({ name: 'NEEDED_BYTES', value: '42' });
    expect(container?.env).toContainEqual({ name: 'TRIAL_BYTES', value: String(trialBytes) });
    expect(JSON.stringify(spec?.affinity)).toContain('node-7');
  });
});
