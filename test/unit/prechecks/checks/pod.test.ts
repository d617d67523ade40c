import { describe, expect, test } from '@jest/globals';
import type { V1Container, V1PodSpec } from '@kubernetes/client-node';
import { serverContainer, statefulSet, target } from '../../objects.ts';
import { answerOf, files, known } from '../facts.ts';

const mounting = (more: Partial<V1Container> = {}): V1Container => ({
  ...{ name: 'helper', image: 'os-shell:12', volumeMounts: [{ name: 'data', mountPath: '/data' }] },
  ...more,
});
const readOnly = mounting({ volumeMounts: [{ name: 'data', mountPath: '/data', readOnly: true }] });
const ofPod = async (spec: Partial<V1PodSpec>) => ({ target: await target(statefulSet(spec)) });

describe('pod-containers', () => {
  test.each([
    [
      'an init container',
      { initContainers: [mounting()] },
      'init container helper (os-shell:12) mounts data-postgresql-0',
    ],
    ['a sidecar', { containers: [serverContainer(), mounting()] }, 'sidecar helper'],
    ['a sidecar that starts first', { initContainers: [mounting({ restartPolicy: 'Always' })] }, 'sidecar helper'],
  ])('%s that mounts the volume to write is a warning', async (_what, spec, evidence) => {
    // Only one container may be PostgreSQL's: the claim is told by its mounts.
    const found = await target();
    const changed = { ...found, statefulSet: statefulSet(spec) };
    const answer = await answerOf('pod-containers', { target: changed });
    expect(answer.status).toBe('warning');
    expect(answer.text).toContain(evidence);
    expect(answer.remedy?.text).toContain('kubectl -n circleci-server get statefulset postgresql');
  });

  test.each([
    ['none', {}, 'one container'],
    ['one that reads', { initContainers: [readOnly] }, 'init container helper'],
    ['one without the volume', { containers: [serverContainer(), mounting({ volumeMounts: [] })] }, 'sidecar helper'],
  ])('%s passes', async (_what, spec, evidence) => {
    const answer = await answerOf('pod-containers', await ofPod(spec));
    expect(answer.status).toBe('passed');
    expect(answer.text).toContain(evidence);
  });
});

describe('termination-grace', () => {
  test.each([
    [undefined, 'passed'],
    [30, 'passed'],
    [29, 'warning'],
    [0, 'failed'],
  ])('%s seconds: %s', async (seconds, status) => {
    const answer = await answerOf(
      'termination-grace',
      await ofPod(seconds === undefined ? {} : { terminationGracePeriodSeconds: seconds }),
    );
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(String(seconds ?? 30));
    if (status !== 'passed') expect(answer.commands).toContain('"terminationGracePeriodSeconds":60');
  });
});

describe('fs-group', () => {
  const many = known({ ...files, data: { ...files.data, files: 50_000 } });

  test.each([
    ['Always', { fsGroup: 1001 }, 'warning'],
    ['OnRootMismatch', { fsGroup: 1001, fsGroupChangePolicy: 'OnRootMismatch' }, 'passed'],
    ['none', {}, 'passed'],
  ])('with many files, %s', async (_what, securityContext, status) => {
    const answer = await answerOf('fs-group', { ...(await ofPod({ securityContext })), files: many });
    expect(answer.status).toBe(status);
    if (status === 'warning') expect(answer.commands).toContain('"fsGroupChangePolicy":"OnRootMismatch"');
  });

  test('with few files passes', async () => {
    const few = known({ ...files, data: { ...files.data, files: 49_999 } });
    expect((await answerOf('fs-group', { files: few })).status).toBe('passed');
  });
});
