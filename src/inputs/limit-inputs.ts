import { duration, type Input, type Mode } from './input-types.ts';

const moving: readonly Mode[] = ['upgrade', 'rollback'];
const rehearsingOrMoving: readonly Mode[] = ['rehearse', 'upgrade', 'rollback'];
const checkingOrMoving: readonly Mode[] = ['precheck', 'rehearse', 'upgrade', 'rollback'];

/** The inputs that limit waits, for the table of all inputs. */
export const limitInputs = {
  applicationsTimeout: limit('5m', 'Limit for the pods of the applications to end.'),
  clientsTimeout: limit('30s', 'Limit for the last database clients to disconnect.', checkingOrMoving),
  shutdownTimeout: limit('5m', "Limit for PostgreSQL's pod to end.", rehearsingOrMoving),
  detachTimeout: limit('10m', 'Limit for the volume to be detached.', rehearsingOrMoving),
  snapshotTimeout: limit(
    '30m',
    'Limit for the VolumeSnapshot to be cut, and for it to be ready. In a cleanup also for the storage to delete a snapshot or a volume.',
    ['rehearse', 'upgrade', 'rollback', 'cleanup'],
  ),
  jobStartTimeout: limit(
    '10m',
    'Limit for the pod of the upgrade Job to start, and for a probe to start and end.',
    checkingOrMoving,
  ),
  jobTimeout: limit(
    '2h',
    'Limit for the upgrade Job to end. Beyond it only the wait ends, never the Job. A Job of `backup: copy` or of a rehearsal is deleted then.',
    rehearsingOrMoving,
  ),
  startTimeout: limit('10m', 'Limit for PostgreSQL to be ready.', rehearsingOrMoving),
  rolloutTimeout: limit('10m', 'Limit for the applications to be ready again.'),
};

function limit(standard: string, description: string, usedBy: readonly Mode[] = moving): Input<number> {
  return duration({ default: standard, description, modes: usedBy });
}
