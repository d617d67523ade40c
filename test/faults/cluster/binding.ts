// Whether PostgreSQL was started behind the scheduling gate, by the API server's own record of what it answered.
import { readFileSync, statSync } from 'node:fs';
import { schedulingGate } from '../../../src/objects/scheduling-gate.ts';
import { environment, type AuditEvent } from '../../cluster/bench.ts';

interface Answered extends AuditEvent {
  readonly stageTimestamp: string;
  readonly responseObject?: {
    readonly spec?: {
      readonly template?: { readonly spec?: { readonly schedulingGates?: readonly { name: string }[] } };
    };
  };
}

/** What the API server answers from now on. */
export class Bindings {
  private readonly file = environment['BENCH_AUDIT_LOG'] ?? '';
  private readonly start = statSync(this.file).size;

  constructor(private readonly namespace: string) {}

  /** When the scheduler gave the server's pod a node while the StatefulSet had the gate. */
  behindGate(): string[] {
    const starts: string[] = [];
    let isGated = false;
    for (const { objectRef, responseObject, stageTimestamp } of this.answered()) {
      const { resource, subresource, name } = objectRef ?? {};
      if (resource === 'statefulsets' && name === 'postgresql' && responseObject?.spec !== undefined)
        isGated =
          responseObject.spec.template?.spec?.schedulingGates?.some((gate) => gate.name === schedulingGate) ?? false;
      if (resource === 'pods' && subresource === 'binding' && name === 'postgresql-0' && isGated)
        starts.push(stageTimestamp);
    }
    return starts;
  }

  private answered(): Answered[] {
    return readFileSync(this.file)
      .subarray(this.start)
      .toString('utf8')
      .split('\n')
      .filter(
        (line) => line.includes(`"namespace":"${this.namespace}"`) && /"resource":"(?:statefulsets|pods)"/.test(line),
      )
      .map((line) => JSON.parse(line) as Answered)
      .filter(
        (event) =>
          event.stage === 'ResponseComplete' &&
          (event.responseStatus?.code ?? 500) < 300 &&
          !event.requestURI.includes('dryRun'),
      )
      .sort((a, b) => a.stageTimestamp.localeCompare(b.stageTimestamp));
  }
}
