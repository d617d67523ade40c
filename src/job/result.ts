import { z } from 'zod';
import { walPosition } from '../common/grammar.ts';
import { transferModes } from '../inputs/transfer.ts';

/** A word of the script's own: `nothing-to-revert`. */
const word = z.string().regex(/^[a-z][a-z-]{0,30}$/);

/** A sentence, which may quote names of files and databases. The script takes control characters out, and cuts it. */
const text = z
  .string()
  .max(1000)
  .regex(/^\P{Cc}*$/u);

const version = z.string().regex(/^[\w.+~-]{0,40}$/);

/** What the Job's script leaves as its container's termination message. It has looked at a volume that others write: so each value has its grammar. */
const jobResult = z.object({
  schema: z.literal(1),
  command: word,
  outcome: word,
  state: word,
  step: text,
  message: text,
  /** The mode in which pg_upgrade ran; empty when it did not come so far. */
  transfer: z.enum(['', ...transferModes]).optional(),
  recovered: z.boolean().optional(),
  /** Where the server on a copy ended its recovery; empty for all other commands. */
  walEnd: z.union([z.literal(''), walPosition]).optional(),
  reverted: z.boolean().optional(),
  seconds: z.record(word, z.number().nonnegative()).optional(),
  oldVersion: version.optional(),
  newVersion: version.optional(),
});

/** The kubelet cuts a termination message there. */
const longest = 4096;

export type JobResult = z.infer<typeof jobResult>;

/** The result, or undefined when there is none (the container was killed) or it is not one of ours. */
export function parseJobResult(terminationMessage: string | undefined): JobResult | undefined {
  if (terminationMessage === undefined || terminationMessage.length > longest) return undefined;
  try {
    return jobResult.parse(JSON.parse(terminationMessage));
  } catch {
    return undefined;
  }
}
