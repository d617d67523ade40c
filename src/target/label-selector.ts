import { z } from 'zod';

/** A workload's selector of its pods (metav1.LabelSelector), as the journal keeps it. */
export const labelSelector = z.object({
  matchLabels: z.record(z.string(), z.string()).optional(),
  matchExpressions: z
    .array(z.object({ key: z.string(), operator: z.string(), values: z.array(z.string()).optional() }))
    .optional(),
});

export type LabelSelector = z.infer<typeof labelSelector>;

type Labels = Readonly<Record<string, string>>;

/** Whether labels are selected, by the rules of the Kubernetes API; an operator that is not known selects everything. */
export function matchesSelector(labels: Labels, { matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean {
  const equal = Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
  return equal && matchExpressions.every((expression) => matchesExpression(labels, expression));
}

function matchesExpression(
  labels: Labels,
  { key, operator, values = [] }: NonNullable<LabelSelector['matchExpressions']>[number],
): boolean {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return true;
  }
}
