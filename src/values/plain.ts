/** How a scalar on one line is written. */
export type Style = 'PLAIN' | 'QUOTE_SINGLE' | 'QUOTE_DOUBLE';

/**
 * What YAML 1.1, 1.2 or Go's parser reads as anything but a string: null, booleans, numbers with underscores, in base 2, 8, 16
 * and 60, dates, `=` and `<<`. By the letter of YAML 1.1, also `14.22.1` is a float,
 * and to one parser `e5` is.
 */
const notStrings = [
  /^(|~|null|y|yes|n|no|true|false|on|off|[-+]?\.?(inf|infinity|nan)|=|<<)$/i,
  /^[-+]?0[box][0-9a-f_]*$/i,
  /^[-+]?[0-9_.:]*(e[-+]?[0-9_]*)?$/i,
  /^[0-9]+-[0-9]+-[0-9]+(t|\s|$)/i,
];

/** Whether every parser reads the text, unquoted, as the string it is. In a flow mapping, old parsers stop at a colon. */
export function isPlainString(text: string, inFlow: boolean): boolean {
  if (!/^[A-Za-z0-9_][-A-Za-z0-9_./:@+]*$/.test(text) || text.endsWith(':')) return false;
  if (inFlow && text.includes(':')) return false;
  return !notStrings.some((pattern) => pattern.test(text));
}

/**
 * The text as a scalar.
 * @param style as its neighbours are written
 * @param quotes what to write it in when it can't be plain
 */
export function scalarText(text: string, style: Style, quotes: Exclude<Style, 'PLAIN'>, inFlow: boolean): string {
  if (style === 'PLAIN' && isPlainString(text, inFlow)) return text;
  const used = style === 'PLAIN' ? quotes : style;
  return used === 'QUOTE_SINGLE' ? `'${text.replaceAll("'", "''")}'` : JSON.stringify(text);
}
