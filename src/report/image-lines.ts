import { cell, code } from '../text/markdown.ts';
import type { AskedImage, Report } from './report-shape.ts';

/** What ran under the names of the images when they were asked: a tag may be moved afterwards. */
export function imageLines({ images }: Report): string[] {
  if (images === undefined) return [];
  const row = (name: string, { reference, seen }: AskedImage) =>
    `| ${name} | ${cell(code(reference))} | ${seen === undefined ? 'not seen' : cell(code(seen))} |`;
  return [
    '| image | as the inputs name it | what the checks saw |',
    '| --- | --- | --- |',
    row('upgrade Job', images.upgrade),
    row('PostgreSQL 14', images.serving),
    '',
  ];
}
