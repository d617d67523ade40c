import { fencingTokenLabel } from '../../objects/fencing-token.ts';
import { journalObject } from '../../journal/object.ts';
import { counterAnnotation, openAnnotation } from '../../journal/counter.ts';
import { recordCodec } from '../../journal/record.ts';
import { newLease } from '../../objects/lease.ts';
import { rehearsalLeaseName } from '../../objects/rehearsal.ts';
import type { Move } from '../../report/planned-step.ts';
import type { PlanContext } from '../contract/step.ts';

/** What a run does before the first step: it takes the Lease, marks what it will change, and records what there is. */
export function planBeginning({ target, record }: PlanContext): readonly Move[] {
  const { namespace } = target;
  const data = { record: recordCodec.encode(record), counter: 'COUNTER', salt: 'SALT', seal: 'SEAL' };
  return [
    {
      does: 'create',
      resource: 'leases',
      object: newLease(namespace, record.runId, 'EPOCH', new Date(record.startedAt)),
    },
    {
      does: 'run',
      what: `Label what the upgrade changes with ${fencingTokenLabel}, until the end of the upgrade. Every later change expects this label.`,
    },
    {
      does: 'run',
      what: `End a rehearsal of this server that is at work, by its Lease ${rehearsalLeaseName}. Remove what rehearsals have left, now and again before the applications stop.`,
    },
    {
      does: 'run',
      what: `Annotate the PersistentVolume: ${counterAnnotation} counts the changes of the journal, and stays; ${openAnnotation} says whether the upgrade has ended. Both reveal a journal that somebody replaces by an older one or deletes.`,
    },
    { does: 'create', resource: 'configmaps', object: journalObject(namespace, data) },
  ];
}
