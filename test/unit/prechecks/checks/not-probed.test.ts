import { expect, test } from '@jest/globals';
import { notAsked } from '../../../../src/common/known.ts';
import { answerOf, known, unread } from '../facts.ts';

const none = unread('"probes" is none', notAsked);

// What nobody tells must not be said to be told.
test.each([
  [
    'images',
    /^"probes" is none\. The Job tells of the upgrade image .* serving image does not serve 14, 12 comes back/,
  ],
  ['security-faults', /^"probes" is none\. Nothing tells in the upgrade that an image has these faults\.$/],
  ['extensions', /upgrade image lacks\. What the serving image lacks is seen by whoever uses it\.$/],
  ['libraries', /whether 14 starts, .* a function without its library is seen by whoever calls it\.$/],
  ['locales-in-images', /opens each database with the serving image .* 12 comes back/],
  ['sort-order', /it compares once 14 serves, and rebuilds .* before the applications come back\.$/],
  ['serving-start', /^The upgrade tells: if 14 does not start, 12 comes back\.$/],
  ['serving-logins', /is seen when it logs in to 14\.$/],
])('%s without probes stops nothing, and says what tells it instead', async (id, answerer) => {
  const facts = { upgradeProbe: none, servingProbe: none, trial: none, md5Roles: known(['app']) };
  const { status, ignored } = await answerOf(id, facts);
  expect([status, ignored]).toEqual(['unknown', expect.stringMatching(answerer)]);
});
