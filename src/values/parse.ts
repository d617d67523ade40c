import {
  Document,
  isAlias,
  isCollection,
  isScalar,
  parseAllDocuments,
  visit,
  type Node,
  type ParsedNode,
  type Scalar,
} from 'yaml';
import type { ConfigurationError } from '../common/errors.ts';
import { lineEnd, lineStart, position, refusal, type Source } from './source.ts';

/** A document of the file, with what is needed to judge its nodes. */
export interface ParsedDocument {
  /** Undefined when the document is empty. */
  readonly root: ParsedNode | undefined;
  readonly document: Document;
  /** Names of the anchors that an alias refers to. */
  readonly aliased: ReadonlySet<string>;
}

const templateRemedy =
  'Set "values-file" to a file that is YAML as it stands, or edit the template by hand and set "values-file" to "".';

/**
 * Parses the file; every scalar stays the text that it is.
 * @throws ConfigurationError when it is not YAML, or is known to be read in another way by Helm
 */
export function parseDocuments(source: Source): ParsedDocument[] {
  const documents = parse(source);
  for (const { errors } of documents) {
    if (errors[0] !== undefined)
      throw notYaml(source, errors[0].pos[0], errors[0].code.toLowerCase().replaceAll('_', ' '));
  }
  for (const document of documents) {
    refuseOtherReadings(source, document);
  }
  if (documents.length === 0) return [{ root: undefined, document: new Document(), aliased: new Set() }];
  return documents.map((document) => ({
    root: isScalar(document.contents) && document.contents.source === '' ? undefined : (document.contents ?? undefined),
    document,
    aliased: aliasedNames(document),
  }));
}

function parse(source: Source): Document.Parsed[] {
  try {
    return [
      ...parseAllDocuments(source.text, {
        schema: 'failsafe',
        keepSourceTokens: true,
        prettyErrors: false,
        uniqueKeys: false,
        logLevel: 'silent',
      }),
    ];
  } catch {
    throw notYaml(source, 0, 'it is nested too deeply, or confuses the parser');
  }
}

/**
 * Why a file can't be parsed. The parser's own message is not told: it quotes the file, which may hold passwords.
 * @param why the parser's code, as words
 */
function notYaml(source: Source, offset: number, why: string): ConfigurationError {
  const { text, file } = source;
  const mark = [...text.matchAll(/\{\{/g)].find(({ index }) => !isInComment(text, index))?.index;
  if (/\{\{|\}\}/.test(text.slice(lineStart(text, offset), lineEnd(text, offset)))) {
    return refusal(source, offset, 'template', 'a template is not YAML', templateRemedy);
  }
  if (mark !== undefined || /\.(gotmpl|tmpl|tpl)$/.test(file)) {
    const seen = mark === undefined ? 'by its name' : `with "{{" on line ${String(position(text, mark).line)}`;
    return refusal(
      source,
      offset,
      'template',
      `not YAML: ${why}; the file seems to be a template, ${seen}`,
      templateRemedy,
    );
  }
  return refusal(source, offset, 'invalid-yaml', `not YAML: ${why}`, 'Correct the file.');
}

function isInComment(text: string, offset: number): boolean {
  return /(^|\s)#/.test(text.slice(lineStart(text, offset), offset));
}

function aliasedNames(document: Document.Parsed): Set<string> {
  const names = new Set<string>();
  visit(document, { Alias: (_, alias) => void names.add(alias.source) });
  return names;
}

/**
 * Refuses what Helm's parser reads in another way than YAML 1.2 has it, and than the parsers here do.
 * It ends the name of an anchor at any other character. Within brackets, it takes `?` and `:` for what stands before a key or a
 * value even without a space, and the colon of `{key:}` for a part of the key.
 */
function refuseOtherReadings(source: Source, document: Document.Parsed): void {
  visit(document, {
    Node: (_, node, path) => {
      const at = node.range?.[0] ?? 0;
      const name = isAlias(node) ? node.source : node.anchor;
      if (name !== undefined && !/^[A-Za-z0-9_-]+$/.test(name)) {
        throw ambiguous(source, at, 'the name of this anchor', 'Name it with letters, digits, "-" and "_" only.');
      }
      const inBrackets = path.some((parent) => isCollection(parent) && parent.flow === true);
      if (!inBrackets || !isScalar(node) || node.type !== 'PLAIN') return;
      if (startsOrEndsOtherwise(source.text, node)) {
        throw ambiguous(source, at, 'this text within brackets', 'Write it in quotes, with a space.');
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
