/** Line and column of an offset, both from 1, in characters. */
export function position(text: string, offset: number): { line: number; column: number } {
  const start = lineStart(text, offset);
  const line = text.slice(0, start).split('\n').length;
  return { line, column: Array.from(text.slice(start, offset)).length + 1 };
}

/** Where the line of an offset starts. */
export function lineStart(text: string, offset: number): number {
  return offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1;
}

/** Where the line of an offset ends, before its line end. */
export function lineEnd(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset);
  if (newline === -1) return text.length;
  return newline > offset && text[newline - 1] === '\r' ? newline - 1 : newline;
}

/** How many characters stand before an offset on its line. */
export function indentOf(text: string, offset: number): number {
  return offset - lineStart(text, offset);
}

/** The line end in use around an offset: of its own line, else of the one before. */
export function endOfLineAt(text: string, offset: number): '\n' | '\r\n' {
  const after = text.indexOf('\n', offset);
  const newline = after === -1 ? text.lastIndexOf('\n') : after;
  return newline > 0 && text[newline - 1] === '\r' ? '\r\n' : '\n';
}
