import { describe, expect, test } from '@jest/globals';
import { wrongWith, wrongWithDiscovery, wrongWithObject, wrongWithPage } from '../../../src/adapters/answer-shape.ts';

function nested(levels: number): unknown {
  return JSON.parse(`${'{"a":['.repeat(levels)}1${']}'.repeat(levels)}`);
}

describe('an answer of the API server', () => {
  test.each([
    [null, 'null'],
    [[], 'a list'],
    ['text', 'a string'],
    [5, 'a number'],
    [true, 'a boolean'],
    [nested(101), 'more than 200 objects in one another'],
    [nested(50_000), 'more than 200 objects in one another'],
  ])('is no object: %#', (answer, what) => {
    expect(wrongWith(answer)).toBe(what);
  });

  test('may be as deep as a schema', () => {
    expect(wrongWith(nested(60))).toBeUndefined();
  });

  test.each([{}, { metadata: null }, { metadata: [] }])('is no object of a resource: %j', (answer) => {
    expect(wrongWithObject('pods', answer)).toBe('an object without metadata');
    expect(wrongWithObject('selfsubjectreviews', answer)).toBeUndefined();
  });

  test.each([
    {},
    { metadata: {} },
    { metadata: {}, items: {} },
    { metadata: {}, items: [null] },
    { metadata: {}, items: [{}] },
    { items: [] },
  ])('is no page of a list: %j', (answer) => {
    expect(wrongWithPage(answer)).toContain('a list with');
  });

  test('is a page of a list', () => {
    expect(wrongWithPage({ metadata: {}, items: [{ metadata: { name: 'a' } }] })).toBeUndefined();
  });

  test.each([{}, { resources: null }, { resources: [null] }])('tells no resources: %j', (answer) => {
    expect(wrongWithDiscovery(answer)).toBe('an object without resources');
  });
});
