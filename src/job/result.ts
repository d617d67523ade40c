import { z } from 'zod';

/** What the Job's script leaves as its container's termination message. */
const jobResult = z.object({
  schema: z.literal(1),
  command: z.string(),
  outcome: z.string(),
  state: z.string(),
  step: z.string(),
  message: z.string(),
  /** The mode in which pg_upgrade ran, of transferModes; empty when it did not come so far. */
  transfer: z.string().optional(),
  recovered: z.boolean().optional(),
  reverted: z.boolean().optional(),
  seconds: z.record(z.string(), z.number()).optional(),
  oldVersion: z.string().optional(),
  newVersion: z.string().optional(),
});

export type JobResult = z.infer<typeof jobResult>;

/** The result, or undefined when there is none (the container was killed) or it is not one of ours. */
export function parseJobResult(terminationMessage: string | undefined): JobResult | undefined {
  if (terminationMessage === undefined) return undefined;
  try {
    return jobResult.parse(JSON.parse(terminationMessage));
  } catch {
    return undefined;
  }
}
