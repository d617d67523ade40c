// Storage that copies a snapshot for some time after it has cut it. Both ways take the default class, so this is done to that one.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { loadAll } from 'js-yaml';
import { apply, kubectl, root } from '../../test/cluster/bench.ts';

interface SnapshotClass {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

const name = 'standard';

/**
 * Has the driver say so many seconds after the cut that a snapshot is ready.
 * @returns what makes the class as it was
 */
export function readyLater(seconds: number): () => void {
  if (seconds === 0) return () => undefined;
  const text = readFileSync(path.join(root, 'bench/csi/storage.yaml'), 'utf8');
  const given = (loadAll(text) as SnapshotClass[]).find(
    ({ kind, metadata }) => kind === 'VolumeSnapshotClass' && metadata.name === name,
  );
  if (given === undefined) throw new Error(`bench/csi/storage.yaml has no VolumeSnapshotClass ${name}`);
  replace({ ...given, parameters: { readyAfter: `${seconds.toFixed(3)}s` } });
  return () => {
    replace(given);
  };
}

/** What was made of the former one keeps its own times. */
function replace(to: object): void {
  kubectl('delete', 'volumesnapshotclass', name, '--ignore-not-found');
  apply(to);
}
