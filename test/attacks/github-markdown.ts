import { micromark } from 'micromark';
import { gfm, gfmHtml } from 'micromark-extension-gfm';
import { parseFragment, type DefaultTreeAdapterMap } from 'parse5';

type Node = DefaultTreeAdapterMap['node'];
type Element = DefaultTreeAdapterMap['element'];

/** Tags that our own Markdown makes; `span` holds a dollar sign, as GitHub's documentation has it. */
const ours = new Set([
  ...['h1', 'p', 'strong', 'code', 'pre', 'br', 'hr', 'ul', 'li', 'blockquote', 'details', 'summary', 'span', 'a'],
  ...['h2', 'table', 'thead', 'tbody', 'tr', 'th', 'td'],
]);

/** Titles of the parts of a summary; none of them holds text of others. */
const parts = ['What is left to do', 'Checks', 'Phases'];

/**
 * What GitHub makes of text, besides Markdown (docs.github.com: Autolinked references and URLs; Basic formatting syntax;
 * Writing mathematical expressions). It looks for it in the text that comes of the Markdown, outside of code and links.
 */
const references: readonly (readonly [string, RegExp])[] = [
  ['a mention', /(?:^|[^\w`/])@[a-z0-9][a-z0-9-]*/i],
  ['a reference', /(?:^|[^\w&])(?:[\w.-]+\/[\w.-]+)?#\d+\b/],
  ['a reference', /\bGH-\d+/i],
  ['a commit', /(?:^|[\s([{@:.,])[0-9a-f]{7,40}\b/i],
  ['an address', /(?:https?|ftp):\/\/\w|\bwww\.\w/i],
  ['an address of mail', /[\w.+-]+@[\w-]+\.\w/],
  ['an emoji', /:[\w+-]+:/],
  ['a formula', /\$[^$\n]+\$/],
];

/**
 * All that a text of ours must not have on GitHub, as people read it.
 * @param links addresses that we link to
 * @param comments how many HTML comments are ours
 */
export function foreignIn(markdown: string, links: readonly string[], comments: number): string[] {
  const html = micromark(markdown, { allowDangerousHtml: true, extensions: [gfm()], htmlExtensions: [gfmHtml()] });
  const found: string[] = [];
  let seen = 0;
  const visit = (node: Node, isVerbatim: boolean): void => {
    if (node.nodeName === '#comment') seen++;
    if (node.nodeName === '#text' && 'value' in node && !isVerbatim) {
      for (const [what, pattern] of references) {
        const [match] = pattern.exec(node.value) ?? [];
        if (match !== undefined) found.push(`${what}: ${match}`);
      }
    }
    if ('tagName' in node) found.push(...wrongWith(node, links));
    const isCode = ['code', 'pre', 'a'].includes(node.nodeName);
    if ('childNodes' in node) for (const child of node.childNodes) visit(child, isVerbatim || isCode);
  };
  visit(parseFragment(html), false);
  return seen === comments ? found : [...found, `${String(seen)} comments instead of ${String(comments)}`];
}

/** What is drawn is ours alone: each line is one of a chart of phases. */
function isOurChart(name: string, text: string): boolean {
  const line =
    /^(?:gantt| {2}(?:dateFormat|axisFormat|todayMarker) .*| {2}section [^:;#%<>`]+| {2}[a-z ]+ [\d.]+ s :(?:[a-z]+, )?[\d :-]+, [\d.]+s)$/;
  return (
    name === 'language-mermaid' &&
    text
      .trimEnd()
      .split('\n')
      .every((one) => line.test(one))
  );
}

function wrongWith({ tagName, attrs, childNodes }: Element, links: readonly string[]): string[] {
  const value = (name: string) => attrs.find((attribute) => attribute.name === name)?.value;
  if (!ours.has(tagName)) return [`<${tagName}>`];
  if (tagName === 'a' && !links.some((link) => value('href')?.startsWith(link)))
    return [`a link to ${value('href') ?? ''}`];
  const [only] = childNodes;
  const text = only !== undefined && 'value' in only ? only.value : '';
  if (tagName === 'h2' && !parts.includes(text)) return [`<h2> ${text}`];
  if (tagName === 'span' && (childNodes.length !== 1 || text !== '$')) return ['<span>'];
  const others = attrs.filter(({ name, value: given }) => {
    if (tagName === 'a') return name !== 'href';
    if (tagName === 'code')
      return name !== 'class' || !(['language-diff', 'language-yaml'].includes(given) || isOurChart(given, text));
    return !(name === 'align' && ['th', 'td'].includes(tagName));
  });
  return others.map(({ name }) => `<${tagName} ${name}>`);
}
