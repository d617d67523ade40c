import { ConfigurationError } from '../common/errors.ts';

/** A part of a label selector as people write it, as far as it is judged here. */
export interface SelectorTerm {
  /** Whether it selects what lacks the label, too. */
  readonly isNegative: boolean;
}

const key = String.raw`(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?`;
const value = String.raw`(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?`;
const term = new RegExp(
  `^(?:(?<absent>!) *${key}|${key}(?: *(?<equality>==?|!=) *${value}| +(?<set>in|notin) *\\((?<values>[^()]*)\\))?)$`,
);
const word = new RegExp(`^${value}$`);

/**
 * Reads a label selector by the grammar of the Kubernetes API (labels.Parse), without its comparisons of numbers.
 * @returns undefined for what is none
 */
export function parseSelector(text: string): SelectorTerm[] | undefined {
  if (text.includes('|')) return undefined;
  // A comma between parentheses separates values.
  const parts = text
    .replace(/\([^()]*\)/g, (set) => set.replaceAll(',', '|'))
    .split(',')
    .map((part) => part.trim());
  const terms: SelectorTerm[] = [];
  for (const part of parts) {
    const { absent, equality, set, values } = term.exec(part)?.groups ?? {};
    if (!term.test(part)) return undefined;
    if (values?.split('|').every((one) => word.test(one.trim())) === false) return undefined;
    terms.push({ isNegative: absent !== undefined || equality === '!=' || set === 'notin' });
  }
  return terms;
}

/**
 * The input `application-selector`.
 * @throws ConfigurationError
 */
export function checkSelector(text: string, input: string): void {
  if (parseSelector(text) !== undefined) return;
  throw new ConfigurationError(
    'input-invalid',
    `Input "${input}" is ${JSON.stringify(text.slice(0, 80))}, which is not a label selector.`,
    `Set "${input}" to a label selector such as layer=application.`,
  );
}

/** Whether it selects every workload that lacks some label: then the upgrade would also stop workloads that do not belong to CircleCI Server. */
export function selectsTheRest(text: string): boolean {
  return parseSelector(text)?.every(({ isNegative }) => isNegative) ?? false;
}
