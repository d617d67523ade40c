import { expect, test } from '@jest/globals';
import { cleanupLines } from '../../../src/report/cleanup-lines.ts';
import type { CleanupReport } from '../../../src/report/report-shape.ts';

const cleaned: CleanupReport = {
  gates: [],
  items: [{ kind: 'Directory', name: '/old', bytes: 1000, why: 'it is old', isRemoved: true }],
  left: [],
  areSizesUpperBounds: false,
  backup: 'VolumeSnapshot of-14',
  freedBytes: 1000,
};
const keeps = 'the backup of PostgreSQL 14 keeps what the old directory took';

test('where less was freed than listed, the summary says that a snapshot may keep the room', () => {
  expect(cleanupLines(cleaned).join('\n')).not.toContain(keeps);
  expect(cleanupLines({ ...cleaned, freedBytes: 0 }).join('\n')).toContain(keeps);
  expect(cleanupLines({ ...cleaned, freedBytes: 0, backup: undefined }).join('\n')).not.toContain(keeps);
  const items = cleaned.items.map((item) => ({ ...item, isRemoved: false }));
  expect(cleanupLines({ ...cleaned, freedBytes: 0, items }).join('\n')).not.toContain(keeps);
});
