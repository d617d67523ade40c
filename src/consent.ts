import type { Inputs } from './inputs.ts';
import { imageReference } from './upgrade/grammar.ts';

/** What the input `confirm` agrees to, beyond that the run may begin. */
export interface Consent {
  /** To go back by what the cluster and the disk show, since the journal can't be trusted. */
  readonly withoutJournal: boolean;
  /** To start PostgreSQL with this image, which neither the inputs nor the cluster name. */
  readonly image: string | undefined;
}

/** Value of `confirm` with which `mode: rollback` goes by the cluster and the disk alone. */
export function confirmWithoutJournal(namespace: string): string {
  return `${namespace} without the journal`;
}

/** Value of `confirm` that names the image of the server before the upgrade. */
export function confirmImage(confirm: string, image: string): string {
  return `${confirm} with ${image}`;
}

/** Undefined where `confirm` is none of the values that a run of this mode takes. */
export function consentOf({
  mode,
  confirm,
  namespace,
}: Pick<Inputs, 'mode' | 'confirm' | 'namespace'>): Consent | undefined {
  if (!confirm.startsWith(namespace)) return undefined;
  const rest = confirm.slice(namespace.length);
  const found = /^( without the journal)?(?: with (\S{1,512}))?$/.exec(rest);
  if (found === null) return undefined;
  const [, without, image] = found;
  if (without !== undefined && mode !== 'rollback') return undefined;
  if (image !== undefined && !imageReference.safeParse(image).success) return undefined;
  return { withoutJournal: without !== undefined, image };
}
