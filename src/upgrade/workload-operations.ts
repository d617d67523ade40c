import type { PatchOperation } from '../ports/cluster.ts';
import type { ScaledWorkload, ScheduledWorkload, Workload } from '../target/applications.ts';
import { pausedAnnotation, pausedReplicasAnnotation } from '../target/scaled-objects.ts';
import { annotationOperations, pauseOf, recordedPause } from './autoscalers.ts';
import type { Move } from './moves.ts';

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

/** The object of a workload, as far as the journal knows it. */
export function asRecorded(workload: Workload): Annotated {
  if (workload.resource === 'cronjobs') return { spec: { suspend: workload.suspended } };
  if (workload.resource !== 'scaledobjects') return { spec: { replicas: workload.replicas } };
  const { paused, pausedReplicas } = workload;
  return {
    metadata: {
      annotations: {
        ...(paused === null ? {} : { [pausedAnnotation]: paused }),
        ...(pausedReplicas === null ? {} : { [pausedReplicasAnnotation]: pausedReplicas }),
      },
    },
  };
}

interface Annotated {
  readonly metadata?: { readonly annotations?: Record<string, string> };
  readonly spec?: object;
}

/** What stops it, whatever it is; `now` is the object as it is. */
export function stopOperations(workload: Workload, now: Annotated): PatchOperation[] {
  return workload.resource === 'scaledobjects' ? annotationOperations(now, pauseOf()) : [stopOperation(workload)];
}

/** What gives it back as it was recorded. */
export function startOperations(workload: Workload, now: Annotated): PatchOperation[] {
  return workload.resource === 'scaledobjects'
    ? annotationOperations(now, recordedPause(workload))
    : [startOperation(workload)];
}

export function planChange(
  { resource, name }: Workload,
  object: Annotated,
  operations: readonly PatchOperation[],
): Move {
  return { does: 'change', resource, name, object, operations };
}
