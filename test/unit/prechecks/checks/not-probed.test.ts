import { expect, test } from '@jest/globals';
import { notAsked } from '../../../../src/common/known.ts';
import { answerOf, known, unread } from '../facts.ts';

const none = unread('"probes" is none', notAsked);

// What nothing detects must not be said to be detected.
test.each([
  [
    'images',
    /^"probes" is none\. The Job checks the upgrade image .* serving image does not start PostgreSQL 14, the action restores PostgreSQL 12\./,
  ],
  ['security-faults', /^"probes" is none\. Nothing in the upgrade detects that an image has these faults\.$/],
  [
    'extensions',
    /upgrade image lacks\. Nothing in the upgrade detects an extension that the serving image lacks: whoever uses it gets errors afterwards\.$/,
  ],
  [
    'libraries',
    /whether PostgreSQL 14 of the serving image starts\. .* A function without its library fails when somebody calls it\.$/,
  ],
  ['locales-in-images', /opens each database with the serving image .* the action restores PostgreSQL 12/],
  [
    'sort-order',
    /compares the order once PostgreSQL 14 serves\. It rebuilds .* before it restarts the applications\.$/,
  ],
  [
    'serving-start',
    /^The upgrade shows whether PostgreSQL 14 starts\. If it does not, the action restores PostgreSQL 12\.$/,
  ],
  ['serving-logins', /A role that PostgreSQL 14 refuses fails at its next login\.$/],
])('%s without probes blocks nothing, and says what the upgrade does instead', async (id, answerer) => {
  const facts = { upgradeProbe: none, servingProbe: none, trial: none, md5Roles: known(['app']) };
  const { status, ignored } = await answerOf(id, facts);
  expect([status, ignored]).toEqual(['unknown', expect.stringMatching(answerer)]);
});
