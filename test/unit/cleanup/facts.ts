// What a cleanup is judged by, where each condition is met.
import type { Known } from '../../../src/common/known.ts';
import type { CleanupFacts, History } from '../../../src/cleanup/facts.ts';
import type { OldFiles } from '../../../src/cleanup/old-files.ts';
import { server } from '../prechecks/facts.ts';
import { inputs, serverContainer, newImage, snapshotClass, statefulSet, target } from '../objects.ts';
import { counterAnnotation } from '../../../src/journal/counter.ts';
import { hoursAgo, readyPod } from './scene.ts';
import { run } from './volume.ts';

export const known = <T>(value: T): Known<T> => ({ known: true, value });
export const unread: Known<never> = { known: false, reason: 'pods is forbidden', code: 'forbidden' };

export const history: History = {
  uid: 'uid-of-journal',
  outcome: 'upgraded',
  releasedAt: hoursAgo(25),
  run,
  claim: 'uid-of-claim',
  volume: 'pv-1',
  reclaimPolicy: 'Delete',
};

/** No directory is left. */
export const noFiles: OldFiles = { directories: [], odd: [], transfer: 'link', run, isRemoving: false, outside: [] };

export async function cleanupFacts(
  more: Partial<CleanupFacts> = {},
  given: Readonly<Record<string, string>> = {},
): Promise<CleanupFacts> {
  const found = await target(statefulSet({ containers: [serverContainer({ image: newImage })] }));
  const { volume } = found;
  const metadata = { ...volume.claim.metadata, uid: 'uid-of-claim', creationTimestamp: hoursAgo(100) };
  const claim = { ...volume.claim, metadata };
  const annotations = { [counterAnnotation]: '9' };
  const persistentVolume = { ...volume.persistentVolume, metadata: { name: 'pv-1', annotations } };
  return {
    target: { ...found, pod: readyPod(), volume: { ...volume, claim, persistentVolume } },
    inputs: inputs({ mode: 'cleanup', ...given }),
    now: hoursAgo(0),
    history: known(history),
    server: known({ ...server, version: '14.22', versionNumber: 140022 }),
    settings: known([]),
    files: known(noFiles),
    pods: known([]),
    jobs: known([]),
    claims: known([]),
    snapshots: known([]),
    contents: known(new Map()),
    volumes: known([]),
    attachments: known([]),
    snapshotClass: known({ driver: 'csi.example.com', chosen: snapshotClass('csi-class'), candidates: ['csi-class'] }),
    missing: known([]),
    rehearsals: known({ items: [], left: [] }),
    ...more,
  };
}
