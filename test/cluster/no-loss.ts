import { expect } from '@jest/globals';
import { verifyWriter, type WriterResult } from './writer.ts';

/** Each change that the writer was told to be committed is in the database, once and as it was written. */
export function expectNoLoss(namespace: string): WriterResult {
  const result = verifyWriter(namespace);
  const { lost, doubled, unexpected } = result;
  expect({ lost, doubled, unexpected }).toEqual({ lost: [], doubled: [], unexpected: [] });
  return result;
}
