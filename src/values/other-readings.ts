import { isAlias, isCollection, isScalar, visit, type Document, type Node, type Scalar } from 'yaml';
import { refusal } from './refusal.ts';
import type { Source } from './source.ts';

/**
 * Refuses what Helm's parser reads in another way than YAML 1.2 has it, and than the parsers here do.
 * It ends the name of an anchor at any other character. Within brackets, it takes `?` and `:` for what stands before a key or a
 * value even without a space, and the colon of `{key:}` for a part of the key.
 */
export function refuseOtherReadings(source: Source, document: Document.Parsed): void {
  visit(document, {
    Node: (_, node, path) => {
      const at = node.range?.[0] ?? 0;
      const name = isAlias(node) ? node.source : node.anchor;
      if (name !== undefined && !/^[A-Za-z0-9_-]+$/.test(name)) {
        throw ambiguous(source, at, `the anchor ${name}`, 'Name it with letters, digits, "-" and "_" only.');
      }
      const inBrackets = path.some((parent) => isCollection(parent) && parent.flow === true);
      if (!inBrackets || !isScalar(node) || node.type !== 'PLAIN') return;
      if (startsOrEndsOtherwise(source.text, node)) {
        throw ambiguous(
          source,
          at,
          `${JSON.stringify(node.source)} within brackets`,
          'Write it in quotes, with a space.',
        );
      }
    },
  });
}

function startsOrEndsOtherwise(text: string, { range }: Scalar & Pick<Node, 'range'>): boolean {
  const [start, end] = range ?? [0, 0];
  if (start === end) return false;
  return /^[?:]/.test(text.slice(start, end)) || /^:[,[\]{}]/.test(text.slice(end, end + 2));
}

function ambiguous(source: Source, at: number, what: string, remedy: string) {
  return refusal(source, at, 'ambiguous', `Helm reads ${what} in another way than YAML 1.2`, remedy);
}
