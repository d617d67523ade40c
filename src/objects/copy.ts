import type { Volume } from '../target/target.ts';

/** Name of the claim whose volume is a copy, for a while. */
export function copyName({ volume }: { readonly volume: Pick<Volume, 'claimName'> }): string {
  return `${volume.claimName}-copy`;
}
