// What a cleanup is judged by, where each condition is met.
import type { Known } from '../../../src/common/known.ts';
import type { CleanupFacts, History } from '../../../src/cleanup/facts.ts';
import { server } from '../prechecks/facts.ts';
import { inputs, serverContainer, newImage, snapshotClass, statefulSet, target } from '../objects.ts';
import { hoursAgo, readyPod } from './scene.ts';

export const known = <T>(value: T): Known<T> => ({ known: true, value });
export const unread: Known<never> = { known: false, reason: 'pods is forbidden', code: 'forbidden' };

export const history: History = {
  uid: 'uid-of-journal',
  outcome: 'upgraded',
  releasedAt: hoursAgo(25),
  volume: 'pv-1',
  reclaimPolicy: 'Delete',
};

export async function cleanupFacts(
  more: Partial<CleanupFacts> = {},
  given: Readonly<Record<string, string>> = {},
): Promise<CleanupFacts> {
  const found = await target(statefulSet({ containers: [serverContainer({ image: newImage })] }));
  return {
    target: { ...found, pod: readyPod() },
    inputs: inputs({ mode: 'cleanup', ...given }),
    now: hoursAgo(0),
    history: known(history),
    server: known({ ...server, version: '14.22', versionNumber: 140022 }),
    settings: known([]),
    files: known({ directories: [], transfer: 'link' }),
    pods: known([]),
    jobs: known([]),
    claims: known([]),
    snapshots: known([]),
    contents: known(new Map()),
    volumes: known([]),
    attachments: known([]),
    snapshotClass: known({ driver: 'csi.example.com', chosen: snapshotClass('csi-class'), candidates: ['csi-class'] }),
    missing: known([]),
    ...more,
  };
}
