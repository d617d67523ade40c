// What the conditions of a cleanup say of facts.
import { expect } from '@jest/globals';
import type { Gate } from '../../../src/cleanup/answer.ts';
import type { CleanupFacts } from '../../../src/cleanup/facts.ts';
import { judgeGates, unmetGates } from '../../../src/cleanup/gates.ts';
import { inventoryOf } from '../../../src/cleanup/inventory.ts';
import { remedyText } from '../../../src/text/remedy.ts';
import { cleanupFacts } from './facts.ts';

type Given = Parameters<typeof cleanupFacts>;

export async function unmet(...given: Given): Promise<Gate[]> {
  const facts = await cleanupFacts(...given);
  return unmetGates(judgeGates(facts, inventoryOf(facts)));
}

/** The one condition that is not met, with its status and what was seen. */
export async function only(...given: Given): Promise<(string | undefined)[]> {
  const [first, ...others] = await unmet(...given);
  expect(others.map(({ id }) => id)).toEqual([]);
  expect(first?.remedy?.text).toMatch(/\S/);
  return [first?.id, first?.status, first?.said, first?.remedy && remedyText(first.remedy)];
}

export const said = (text: string) => expect.stringContaining(text) as unknown;
export const anything = expect.any(String) as unknown;

export async function withPod(pod: CleanupFacts['target']['pod']): Promise<Pick<CleanupFacts, 'target'>> {
  return { target: { ...(await cleanupFacts()).target, pod } };
}
