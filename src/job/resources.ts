import { CORE_SCHEMA, load } from 'js-yaml';
import type { V1ResourceRequirements } from '@kubernetes/client-node';
import { z } from 'zod';
import { ConfigurationError, describe } from '../errors.ts';

const quantity = z
  .union([z.string().regex(/^\d+(\.\d+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$/), z.number().positive()])
  .transform(String);
const quantities = z.record(z.string(), quantity).optional();
const requirements = z.strictObject({ requests: quantities, limits: quantities });

/**
 * The input `resources`.
 * @throws ConfigurationError when it is not YAML in the form of a container's resources
 */
export function parseResources(text: string): V1ResourceRequirements {
  try {
    const { requests, limits } = requirements.parse(load(text, { schema: CORE_SCHEMA }));
    return { ...(requests === undefined ? {} : { requests }), ...(limits === undefined ? {} : { limits }) };
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error).replace(/\s+/g, ' ') : describe(error);
    throw new ConfigurationError(
      'resources-invalid',
      `Input "resources" is not in the form of a container's resources: ${reason}.`,
      'Write it as YAML, for example {requests: {cpu: 200m, memory: 512Mi}, limits: {cpu: "2", memory: 2Gi}}.',
    );
  }
}

/** Whole CPUs that a limit such as `2`, `1500m` grants; at least 1. */
export function wholeCpus(resources: V1ResourceRequirements): number {
  const limit = resources.limits?.['cpu'] ?? '1';
  const cpus = limit.endsWith('m') ? Number(limit.slice(0, -1)) / 1000 : Number(limit);
  return Math.max(1, Math.floor(cpus));
}
