import { fencingTokenLabel } from '../../objects/fencing-token.ts';
import { journalObject } from '../../journal/object.ts';
import { counterAnnotation, openAnnotation } from '../../journal/counter.ts';
import { recordCodec } from '../../journal/record.ts';
import { newLease } from '../../objects/lease.ts';
import type { Move } from '../../report/planned-step.ts';
import type { PlanContext } from '../contract/step.ts';

/** What a run does before the first step: it takes the Lease, marks what it will change, and writes down what there is. */
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
      what: `Label what the upgrade changes with ${fencingTokenLabel}, which every later change expects, until the end of the upgrade.`,
    },
    {
      does: 'run',
      what: `Count each change of the journal in annotation ${counterAnnotation} of the PersistentVolume, where it stays, and whether the upgrade has ended in ${openAnnotation}: they tell an older journal that somebody puts back, and one that somebody deletes.`,
    },
    { does: 'create', resource: 'configmaps', object: journalObject(namespace, data) },
  ];
}
