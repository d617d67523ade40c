import { expect, test } from '@jest/globals';
import { inputs } from '../objects.ts';

test.each(['assignees', 'reviewers'] as const)('%s are logins, also where people write "@" before them', (name) => {
  expect(inputs({ [name]: '@ada, ben\n@ada,renovate[bot]' })[name]).toEqual(['ada', 'ben', 'renovate[bot]']);
});

test('teams are slugs, also where people write them with their organization', () => {
  const given = inputs({ 'team-reviewers': '@octo-org/platform, octo-org/dba\nplatform' });
  expect(given.teamReviewers).toEqual(['platform', 'dba']);
});

test('the path in the values file is its keys', () => {
  expect(inputs().valuesPath).toEqual(['postgresql', 'image']);
  expect(inputs({ 'values-path': 'spec.sources[1].a\\.b.image' }).valuesPath).toEqual([
    'spec',
    'sources',
    1,
    'a.b',
    'image',
  ]);
});
