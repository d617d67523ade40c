// A dry run's plan as the report has it.
import { z } from 'zod';

const move = z.discriminatedUnion('does', [
  z.strictObject({
    does: z.literal('create'),
    manifest: z.looseObject({ apiVersion: z.string(), kind: z.string() }).describe('As kubectl would take it.'),
    until: z.string().optional().describe('When it is removed again; absent when it stays.'),
  }),
  z.strictObject({
    does: z.literal('change'),
    resource: z.string(),
    name: z.string(),
    diff: z.string().describe('A unified diff of YAML with the fields that change.'),
  }),
  z.strictObject({ does: z.literal('run'), what: z.string().describe('What is done in the server, as a sentence.') }),
]);

export const planShape = z.strictObject({
  downtimeSeconds: z.number().optional().describe('Absent where a step of the downtime cannot be predicted.'),
  predictedSeconds: z
    .number()
    .describe('Of the steps of the downtime that can be predicted: it takes at least so long.'),
  lowSeconds: z.number().describe('Of the same steps: the least that they are predicted to take.'),
  highSeconds: z.number().describe('Of the same steps: the most that they are predicted to take.'),
  steps: z.array(
    z.strictObject({
      id: z.string(),
      title: z.string(),
      isDowntime: z.boolean(),
      seconds: z.number().optional(),
      lowSeconds: z.number().optional().describe('The least that it is predicted to take.'),
      highSeconds: z.number().optional().describe('The most that it is predicted to take.'),
      basis: z.string().optional().describe('What the seconds were told from, or why there are none.'),
      moves: z.array(move),
    }),
  ),
});

/** As a reader of a report has it. */
export type Immutable<T> = T extends readonly (infer E)[]
  ? readonly Immutable<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Immutable<T[K]> }
    : T;

/** A dry run's plan, for machines: the manifests are whole. Log and summary are written from it too. */
export type PlanReport = Immutable<z.infer<typeof planShape>>;

export type ReportedStep = PlanReport['steps'][number];

export type ReportedMove = ReportedStep['moves'][number];
