import { z } from 'zod';

const finding = z
  .strictObject({
    check: z.string().regex(/^[a-z][a-z-]+$/),
    status: z.enum(['passed', 'warning', 'failed', 'unknown']),
    evidence: z.array(z.string().min(1)).min(1),
    remedy: z.string().min(1).optional(),
    ignored: z.string().min(1).optional(),
    docs: z.string(),
  })
  .refine((f) => f.docs === `docs/checks.md#${f.check}`, 'docs is not the place of its check')
  .refine((f) => (f.status === 'passed') === (f.remedy === undefined), 'a remedy, if and only if it did not pass');

const image = z.strictObject({
  registry: z.string(),
  repository: z.string(),
  tag: z.string(),
  reference: z.string(),
});

/** The JSON report as later steps may rely on it: no key is missing, none is new. */
export const reportShape = z.strictObject({
  schema: z.literal(1),
  mode: z.enum(['precheck', 'upgrade', 'status', 'rollback', 'values']),
  namespace: z.string(),
  cluster: z.string(),
  verdict: z.enum([
    'passed',
    'warning',
    'failed',
    'unknown',
    'upgraded',
    'already-upgraded',
    'reverted',
    'rolled-back',
    'interrupted',
    'proposed',
    'up-to-date',
    'declined',
    'not-started',
    'unfinished',
  ]),
  findings: z.array(finding),
  serving: z.boolean(),
  image: image.optional(),
  phases: z.array(
    z.strictObject({ id: z.string(), title: z.string(), seconds: z.number(), outcome: z.enum(['done', 'failed']) }),
  ),
  snapshot: z.string().optional(),
  backup: z.string().optional(),
  downtimeSeconds: z.number().optional(),
  prediction: z
    .strictObject({
      pgUpgradeSeconds: z.number(),
      databases: z.array(z.strictObject({ name: z.string(), dumpSeconds: z.number(), restoreSeconds: z.number() })),
    })
    .optional(),
  transfer: z.string().optional(),
  versions: z.strictObject({ before: z.string().optional(), after: z.string().optional() }),
  status: z
    .strictObject({
      state: z.enum(['not-started', 'unfinished', 'upgraded']),
      step: z.string().optional(),
      holder: z.string().optional(),
      evidence: z.array(z.string().min(1)).min(1),
      safe: z.string(),
      next: z.string(),
    })
    .optional(),
  pullRequest: z
    .strictObject({
      operation: z.enum(['created', 'updated', 'none', 'closed']),
      number: z.number().optional(),
      url: z.string().optional(),
      headSha: z.string().optional(),
      changes: z.array(
        z.strictObject({
          path: z.string(),
          line: z.number(),
          before: z.string().optional(),
          after: z.string(),
        }),
      ),
    })
    .optional(),
  warnings: z.array(z.string()),
  error: z.strictObject({ code: z.string(), message: z.string(), remedy: z.string().min(1) }).optional(),
});

export type ReportFile = z.infer<typeof reportShape>;
