import { describe, expect, test } from '@jest/globals';
import { labelSelector, matchesSelector, type LabelSelector } from '../../../src/target/label-selector.ts';

const labels = { app: 'frontend', tier: 'web' };

describe('a label selector', () => {
  test.each<[boolean, LabelSelector]>([
    [true, {}],
    [true, { matchLabels: { app: 'frontend' } }],
    [false, { matchLabels: { app: 'frontend', tier: 'data' } }],
    [true, { matchExpressions: [{ key: 'app', operator: 'In', values: ['api', 'frontend'] }] }],
    [false, { matchExpressions: [{ key: 'app', operator: 'In', values: ['api'] }] }],
    [false, { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['frontend'] }] }],
    [true, { matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['a'] }] }],
    [true, { matchExpressions: [{ key: 'tier', operator: 'Exists' }] }],
    [false, { matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] }],
    [false, { matchLabels: { app: 'frontend' }, matchExpressions: [{ key: 'zone', operator: 'Exists' }] }],
  ])('says %s of %j', (selected, selector) => {
    expect(matchesSelector(labels, selector)).toBe(selected);
  });

  test('with an operator of a later Kubernetes selects rather too much: such a pod is waited for', () => {
    expect(matchesSelector(labels, { matchExpressions: [{ key: 'app', operator: 'Gt', values: ['1'] }] })).toBe(true);
  });

  test('keeps what the journal needs of the API object', () => {
    expect(labelSelector.parse({ matchLabels: { app: 'x' }, other: 1 })).toEqual({ matchLabels: { app: 'x' } });
  });
});
