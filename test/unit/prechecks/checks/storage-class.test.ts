import { describe, expect, test } from '@jest/globals';
import { catalogue } from '../../../../src/prechecks/catalogue.ts';
import { readStorageClass } from '../../../../src/prechecks/facts/gather.ts';
import { claim, cluster, inputs, storageClass, target } from '../../objects.ts';
import { answerOf, facts, known, unread } from '../facts.ts';

describe('storage-class', () => {
  test.each([
    ['names none', '', undefined, 'names no StorageClass', '"backup" to external'],
    ['was deleted', 'standard', undefined, 'which does not exist any more', 'Create StorageClass standard again'],
    [
      'is of another driver',
      'standard',
      storageClass({ provisioner: 'other.example.com' }),
      'the volume has driver csi.example.com',
      'of csi.example.com again',
    ],
  ])('of a claim that %s fails', async (_what, name, found, evidence, remedy) => {
    const answer = await answerOf('storage-class', { storageClass: known({ name, found }) });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain(evidence);
    expect(answer.remedy?.text).toContain(remedy);
  });

  test('under the in-tree name that its driver has taken over passes', async () => {
    const found = storageClass({ provisioner: 'kubernetes.io/aws-ebs', allowVolumeExpansion: true });
    const answer = await answerOf('storage-class', { storageClass: known({ name: 'standard', found }) });
    expect(answer).toMatchObject({
      status: 'passed',
      text: expect.stringContaining('volumes can be enlarged') as unknown,
    });
  });

  test('that may not be read warns where the backup is proved before the downtime, else it is unknown', async () => {
    const storageClass = unread('storageclasses is forbidden');
    expect((await answerOf('storage-class', { storageClass })).status).toBe('warning');
    const unproven = inputs({ 'verify-backup': 'false' });
    expect((await answerOf('storage-class', { storageClass, inputs: unproven })).status).toBe('unknown');
  });

  test('is not asked where the backup is none of ours', async () => {
    const check = catalogue.find(({ id }) => id === 'storage-class');
    const external = inputs({ backup: 'external' });
    expect(check?.applies?.(await facts({ inputs: external }))).toBe(false);
    expect(check?.applies?.(await facts())).toBe(true);
  });

  test('is read by the name that the claim has', async () => {
    const found = await target();
    const read = (storageClassName: string) =>
      readStorageClass(cluster(), {
        ...found,
        volume: { ...found.volume, claim: { ...claim(), spec: { storageClassName } } },
      });
    expect(await read('standard')).toMatchObject({ name: 'standard', found: storageClass() });
    expect(await read('gone')).toEqual({ name: 'gone', found: undefined });
    expect(await read('')).toEqual({ name: '', found: undefined });
  });
});
