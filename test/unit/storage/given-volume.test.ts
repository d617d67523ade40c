import { expect, test } from '@jest/globals';
import { isOlder } from '../../../src/storage/given-volume.ts';

const claim = { metadata: { uid: '1b2c', creationTimestamp: new Date('2026-01-02T03:04:05Z') } };

test.each([
  ['theirs', '2026-01-02T03:03:00Z', true],
  ['theirs', '2026-01-02T03:04:03Z', false],
  ['theirs', undefined, false],
  ['pvc-1b2c', '2026-01-02T03:03:00Z', false],
])('PersistentVolume %s, made at %s, is older than its claim of 03:04:05: %s', (name, made, older) => {
  const creationTimestamp = made === undefined ? undefined : new Date(made);
  expect(isOlder({ metadata: { name, ...(creationTimestamp && { creationTimestamp }) } }, claim)).toBe(older);
});
