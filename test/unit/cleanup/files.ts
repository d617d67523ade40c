// The script of a cleanup over an `oldVolume`, as it runs in the server's pod.
import {
  readOldFiles,
  removeOldFiles,
  type Listed,
  type OldDirectory,
  type OldFiles,
} from '../../../src/cleanup/old-files.ts';
import type { Target } from '../../../src/target/target.ts';
import { FakeClock } from '../fake-clock.ts';
import { FakeLog } from '../fake-runner.ts';
import { localPod } from '../local-pod.ts';
import { target as targetOf } from '../objects.ts';
import type { OldVolume } from './volume.ts';

export const deps = () => ({ clock: new FakeClock(), log: new FakeLog(), signal: new AbortController().signal });

/** Runs a command as the server's user of the vendor's image. */
export const other = ['setpriv', '--reuid=1001', '--regid=1001', '--clear-groups'];

export async function target({ root, data }: OldVolume): Promise<Target> {
  const found = await targetOf();
  return { ...found, dataDirectory: data, volume: { ...found.volume, mountPath: root } };
}

export const look = async (volume: OldVolume, ...as: string[]) =>
  await readOldFiles(localPod(as), await target(volume));

export const remove = async (volume: OldVolume, listed: readonly Listed[], ...as: string[]) =>
  await removeOldFiles(deps(), localPod(as), await target(volume), listed);

export const obstacleOf = ({ directories }: OldFiles, kind: OldDirectory['kind']) =>
  directories.find((one) => one.kind === kind)?.obstacle;
