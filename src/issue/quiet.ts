/**
 * Markdown in which nobody is mentioned, nothing is referred to and no comment begins: evidence and remedies hold names
 * of roles and tables. Commands in fences stay as they are, but for the beginning of a comment, since our markers are such.
 */
export function quiet(lines: readonly string[]): string[] {
  let fence = '';
  return lines.map((line) => {
    const text = line.replaceAll('<!--', '<!\u200b--');
    const [mark = ''] = /^`{3,}/.exec(line) ?? [];
    if (fence !== '') {
      if (mark === fence && line === mark) fence = '';
      return text;
    }
    if (mark !== '') {
      fence = mark;
      return text;
    }
    return text.replace(/(?<!\w)@(?=\w)|#(?=\d)|\bGH-(?=\d)/gi, '$&\u2060');
  });
}
