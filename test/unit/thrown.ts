import { isRunError, type RunError } from '../../src/common/errors.ts';

/** The error of ours that something ends with; any other outcome fails the test. */
export async function thrownBy(body: () => unknown): Promise<RunError> {
  try {
    await body();
  } catch (error) {
    if (isRunError(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
