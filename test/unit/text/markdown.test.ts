import { describe, expect, test } from '@jest/globals';
import { block, cell, code, cut, link, prose, text } from '../../../src/text/markdown.ts';

const parted = (marked: string) => marked.replaceAll('|', '\u2060');

describe('text of others', () => {
  test.each([
    ['@ada, o/team@x.org', parted('@|ada, o/team@|x.org')],
    ['#12 o/r#3 GH-4', parted('\\#|12 o/r#|3 GH-|4')],
    ['https://x.org www.x.org', parted('https:|//x.org www|.x.org')],
    ['0123456789', parted('012345|6789')],
    [':tada:', parted('\\:|tada:')],
    ['<b> & \\', '&#60;b&#62; &#38; &#92;'],
    ['*a* _b_ `c` [d](e) ~f~', '\\*a\\* \\_b\\_ \\`c\\` \\[d\\](e) \\~f\\~'],
    ['$x$', '<span>$</span>x<span>$</span>'],
    ['- a', '\\- a'],
    ['1. a', '1\\. a'],
    ['12.16', '12.16'],
    [' \n', parted('|')],
    ['a\n\n| b', 'a &#124; b'],
    ['\x1b[1m', '&#92;x1b\\[1m'],
  ])('%j is nothing but text', (given, expected) => {
    expect(text(given)).toBe(expected);
  });
});

describe('code', () => {
  test.each([
    ['plain', '`plain`'],
    ['', '`  `'],
    ['a`b', '``a`b``'],
    ['`a', '`` `a ``'],
    ['a\nb', '`a b`'],
    ['<!-- x', parted('`<!|-- x`')],
  ])('%j is inline, whatever it holds', (given, expected) => {
    expect(code(given)).toBe(expected);
  });

  test('in a cell has no bar that ends it', () => {
    expect(cell(code('a|b'))).toBe('`a\\|b`');
    expect(cell(code('a\\|b'))).toBe(parted('`a\\') + parted('|') + '\\|b`');
  });

  test('in a block ends with the block', () => {
    expect(block('diff', ['+ ```', '- ````'])).toEqual(['`````diff', '+ ```', '- ````', '`````']);
    expect(block('', ['a\r\x1bb'])).toEqual(['```', 'a', '\\x1bb', '```']);
  });
});

describe('sentences', () => {
  test.each([
    ['Run `kubectl get pods`, *then* wait.', 'Run `kubectl get pods`, \\*then\\* wait.'],
    ["Run ``echo 'a`b'`` now.", "Run ``echo 'a`b'`` now."],
    ['A ` alone', 'A \\` alone'],
    ['`a` `b`', '`a` `b`'],
    ['`@ada` @ada', parted('`@ada` @|ada')],
    ['`` ` ``', '`` ` ``'],
    ['`a`` b', '\\`a\\`\\` b'],
    ['', parted('|')],
  ])('%j keep their code, and nothing else', (given, expected) => {
    expect(prose(given)).toBe(expected);
  });

  test('of backticks alone take no longer than others', () => {
    const runs = Array.from({ length: 2000 }, (_, i) => '`'.repeat(i % 200)).join(' ');
    const begin = performance.now();
    prose(runs);
    expect(performance.now() - begin).toBeLessThan(2000);
  });
});

test('a link leads to an address of the web, or nowhere', () => {
  expect(link('run', 'https://github.com/o/r/actions/runs/1')).toBe('[run](https://github.com/o/r/actions/runs/1)');
  for (const address of ['javascript:alert(1)', 'https://x/) [a](b', 'https://x/ y', '//x', ''])
    expect(link('run', address)).toBe('run');
});

test('what is cut ends with a whole character', () => {
  expect(cut('ab😀', 3)).toBe('ab…');
  expect(cut('ab', 2)).toBe('ab');
});
