import type { PatchOperation } from '../../ports/cluster.ts';
import type { ScaledWorkload, ScheduledWorkload, Workload } from '../../target/applications.ts';
import { applied } from '../../objects/applied.ts';
import { annotationOperations, pause, recordedPause } from './autoscalers.ts';
import type { Move } from '../../report/planned-step.ts';

/** A workload that is stopped and started by one field of its own. */
export type Switched = ScaledWorkload | ScheduledWorkload;

interface Setting {
  readonly op: 'add';
  readonly path: string;
  readonly value: number | boolean;
}

export function stopOperation(workload: Switched): Setting {
  return workload.resource === 'cronjobs' ? suspend(true) : scale(0);
}

/** Exactly as it was recorded. */
export function startOperation(workload: Switched): Setting {
  return workload.resource === 'cronjobs' ? suspend(workload.suspended) : scale(workload.replicas);
}

function scale(replicas: number): Setting {
  return { op: 'add', path: '/spec/replicas', value: replicas };
}

function suspend(suspended: boolean): Setting {
  return { op: 'add', path: '/spec/suspend', value: suspended };
}

/** The move that stops it, whatever it is. */
export function planStop(workload: Workload): Move {
  return change(workload, asRecorded(workload), stopOperations(workload));
}

/** The move that restarts it as recorded, once it is stopped. */
export function planStart(workload: Workload): Move {
  const stopped = applied(asRecorded(workload), stopOperations(workload));
  const operations =
    workload.resource === 'scaledobjects'
      ? annotationOperations(stopped, recordedPause(workload))
      : [startOperation(workload)];
  return change(workload, stopped, operations);
}

function stopOperations(workload: Workload): PatchOperation[] {
  return workload.resource === 'scaledobjects'
    ? annotationOperations(asRecorded(workload), pause)
    : [stopOperation(workload)];
}

function change({ resource, name }: Workload, object: object, operations: readonly PatchOperation[]): Move {
  return { does: 'change', resource, name, object, operations };
}

/** The object of a workload, as far as the journal records it. */
function asRecorded(workload: Workload): Annotated {
  if (workload.resource === 'cronjobs') return { spec: { suspend: workload.suspended } };
  if (workload.resource !== 'scaledobjects') return { spec: { replicas: workload.replicas } };
  const annotations = Object.entries(recordedPause(workload)).filter(([, value]) => value !== null);
  return { metadata: { annotations: Object.fromEntries(annotations) as Record<string, string> } };
}

interface Annotated {
  readonly metadata?: { readonly annotations?: Record<string, string> };
  readonly spec?: object;
}
