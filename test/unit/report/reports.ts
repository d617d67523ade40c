import type { Report } from '../../../src/report/report-shape.ts';
import { inputs, namespace } from '../objects.ts';

/** The report of an upgrade that went well. */
export function report(more: Partial<Report> = {}): Report {
  return {
    schema: 2,
    version: '0.1.0',
    mode: 'upgrade',
    namespace,
    cluster: 'https://cluster.example:6443',
    verdict: 'upgraded',
    findings: [],
    checkSeconds: undefined,
    serving: true,
    image: inputs().servingImage,
    phases: [],
    snapshot: 'snap-1',
    backup: 'VolumeSnapshot snap-1',
    downtimeSeconds: 61.5,
    statisticsSeconds: 75.5,
    prediction: undefined,
    plan: undefined,
    transfer: 'link',
    comparison: undefined,
    versions: { before: '12.16', after: '14.22' },
    status: undefined,
    pullRequest: undefined,
    issue: undefined,
    nextSteps: [],
    warnings: [],
    error: undefined,
    ...more,
  };
}
