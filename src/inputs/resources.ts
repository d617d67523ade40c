import { CORE_SCHEMA, load } from 'js-yaml';
import type { V1ResourceRequirements } from '@kubernetes/client-node';
import { z } from 'zod';
import { amountOf } from '../common/bytes.ts';
import { ConfigurationError, describe } from '../common/errors.ts';

const quantity = z
  .union([z.string(), z.number()])
  .transform(String)
  .refine((text) => amountOf(text) !== undefined, 'not a quantity such as 500m or 2Gi');
/** A resource such as cpu, hugepages-2Mi or example.com/device. */
const resourceName = z.string().regex(/^(?:[a-z0-9][-a-z0-9.]{0,252}\/)?[a-zA-Z0-9][-_.a-zA-Z0-9]{0,62}$/);
/** zod passes over a key of this name in silence. */
const isPlain = z.custom<object>((map) => !Object.hasOwn(Object(map) as object, '__proto__'), 'has the key __proto__');
const quantities = isPlain.pipe(z.record(resourceName, quantity)).optional();
const requirements = isPlain.pipe(z.strictObject({ requests: quantities, limits: quantities }));

/**
 * The input `resources`.
 * @throws ConfigurationError when it is not YAML in the form of a container's resources, or requests more than it limits
 */
export function parseResources(text: string): V1ResourceRequirements {
  try {
    const { requests, limits } = requirements.parse(load(text, { schema: CORE_SCHEMA }));
    for (const [name, requested] of Object.entries(requests ?? {})) {
      const limit = limits?.[name];
      if (limit !== undefined && (amountOf(requested) ?? 0) > (amountOf(limit) ?? 0))
        throw new Error(`it requests more ${name} (${requested}) than it limits (${limit})`);
    }
    return { ...(requests === undefined ? {} : { requests }), ...(limits === undefined ? {} : { limits }) };
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error).replace(/\s+/g, ' ') : firstLine(error);
    throw new ConfigurationError(
      'resources-invalid',
      `Input "resources" is not in the form of a container's resources: ${reason.slice(0, 300)}.`,
      'Write it as YAML, for example {requests: {cpu: 200m, memory: 512Mi}, limits: {cpu: "4", memory: 2Gi}}.',
    );
  }
}

/** The parser's further lines quote the text. */
function firstLine(error: unknown): string {
  return describe(error).split('\n', 1).join();
}

/** Whole CPUs that a limit such as `2`, `1500m` grants; at least 1. */
export function wholeCpus(resources: V1ResourceRequirements): number {
  return Math.max(1, Math.floor(amountOf(resources.limits?.['cpu'] ?? '1') ?? 1));
}
