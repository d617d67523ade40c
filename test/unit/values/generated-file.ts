import { filler } from './filler.ts';
import { generatedImage, type Expected } from './generated-image.ts';
import type { Picks } from './picks.ts';

export interface GeneratedFile {
  readonly text: string;
  readonly expected: Expected;
  /** In which form the image is written. */
  readonly kind: string;
}

/** A values.yaml of any form that has, or lacks, the image. */
export function generatedFile(pick: Picks): GeneratedFile {
  const step = pick.upTo(7) + 1;
  const column = pick.rarely(6) ? pick.upTo(3) + 1 : 0;
  const part = generatedImage(pick, column, step);
  const some = (name: string) =>
    Array.from({ length: pick.upTo(2) }, (_, index) => filler(pick, `${name}${String(index)}`, column, step)).flat();
  const at = (texts: string[] = []) => texts.map((text) => ' '.repeat(column) + text);
  const body = [...at(part.top), ...some('before'), ...part.lines, ...some('after'), ...at(part.bottom)];
  if (body.every((line) => line.trim() === '')) body.push(`${' '.repeat(column)}only: 1`);
  const others = (name: string) => filler(pick, name, 0, step);
  const [documents, several] = pick.one<() => [string[], boolean]>([
    () => [body, false],
    () => [body, false],
    () => [body, false],
    () => [['---', ...body], false],
    () => [['# head', '---  # first', ...body], false],
    () => [[...others('first'), '---', ...body], true],
    () => [[...body, '---', ...others('second')], true],
    () => [[...body, '...', '---', ...others('second'), '---'], true],
  ])();
  const endOfLine = pick.one(['\n', '\n', '\r\n', 'mixed']);
  const ended = documents.map((line) => line + (endOfLine === 'mixed' ? pick.one(['\n', '\r\n']) : endOfLine)).join('');
  const text = pick.rarely(4) ? ended.replace(/\r?\n$/, '') : ended;
  // Where no document has the image, nobody can tell in which one it belongs.
  const ambiguous = several && part.kind === 'nothing';
  return {
    text: pick.rarely(5) ? `\ufeff${text}` : text,
    expected: ambiguous ? 'refused' : (part.expected ?? 'edited'),
    kind: part.kind,
  };
}
