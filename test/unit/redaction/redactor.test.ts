import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { isWhole } from '../../choice.ts';
import fc from '../../fast-check.ts';
import { vocabulary } from '../../../src/vocabulary.ts';
import { Redactor } from '../../../src/redaction/redactor.ts';
import { encodings } from '../../secret-forms.ts';

function knowing(...secrets: string[]): Redactor {
  const redactor = new Redactor(vocabulary);
  for (const secret of secrets) redactor.add(secret);
  return redactor;
}

const key = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
}).privateKey;

describe('a secret that is known is taken out', () => {
  const secret = `c0rr3ct h'rse/b&tt"ery\\st<ple%41ü|*`;

  test.each(Object.entries(encodings(secret)))('%s', (_form, text) => {
    const told = knowing(secret).redact(`before ${text} after`);
    // The last digits of base64 depend on what comes next, too.
    expect(told).toMatch(/^before \*\*\*[\w=]{0,3} after$/);
  });

  test('in all forms, whatever it is and whatever is around it', () => {
    const secrets = fc
      .string({ minLength: 6, maxLength: 80, unit: 'grapheme' })
      .filter((s) => s.trim() === s && /^[^\r\n\p{Cc}\p{Cs}]*$/u.test(s));
    fc.assert(
      fc.property(secrets, fc.string(), fc.string(), (text, before, after) => {
        const redactor = new Redactor(vocabulary);
        fc.pre(redactor.add(text).length > 0);
        for (const [form, written] of Object.entries(encodings(text))) {
          const told = redactor.redact(`${before} ${written} ${after}`);
          // What is left may be the last digit of base64, which the secret shares with what comes after it.
          const piece = written.slice(0, -3);
          const isAround = before.includes(piece) || after.includes(piece);
          if (written.length > 5 && !isAround && told.includes(piece))
            throw new Error(`${form}: ${written} in ${told}`);
        }
      }),
      {
        numRuns: isWhole ? 2000 : 400,
        examples: [
          ["!'   !", '', ''],
          ['alu  !', '', 'alu'],
        ],
      },
    );
  });

  test('in the header of a request', () => {
    const basic = Buffer.from('upgrader:hunter2-hunter2').toString('base64');
    expect(knowing('hunter2-hunter2').redact(`x ${basic} y`)).not.toMatch(/aHVudGVyM|h1bnRlcj|odW50ZXIy/);
  });

  test('each line of a key, in base64 too', () => {
    const redactor = knowing(key);
    const lines = key.trim().split('\n').slice(1, -1);
    const whole = Buffer.from(key).toString('base64');
    const told = redactor.redact(`${lines.map((line) => `2026-11-29 ${line}`).join('\n')}\n${whole}`);
    for (const line of lines) expect(told).not.toContain(line.slice(0, 20));
    for (let at = 64; at + 100 < whole.length; at += 10) expect(told).not.toContain(whole.slice(at, at + 30));
    expect(told).not.toContain(lines[1]?.slice(10, 40));
  });

  test('where it was wrapped, or cut off after more than its half', () => {
    const token = 'kT9x'.repeat(4) + 'aZ3bQ7rW1mN5vC8yL2pH6jD4sF0gKeUiOo' + 'Rr7'.repeat(20);
    const redactor = knowing(token);
    expect(redactor.redact(`${token.slice(0, 40)}\n${token.slice(40)}`)).toBe('***');
    expect(redactor.redact(token.slice(0, 60)).length).toBeLessThan(30);
  });

  test('where two of them overlap', () => {
    expect(knowing('abcd1234xy', '1234xywxyz').redact('-abcd1234xywxyz-')).toBe('-***-');
  });

  test('from when it is known on', () => {
    const redactor = knowing('first-secret');
    expect(redactor.redact('second-secret')).toBe('second-secret');
    redactor.add('second-secret');
    expect(redactor.redact('second-secret')).toBe('***');
  });
});

describe('a secret that can not be masked', () => {
  test.each([
    ['abc', 'short'],
    ['1234567', 'short'],
    ['postgres', 'common'],
    ['Circle', 'common'],
    ['volume-snapshot', 'common'],
    ['prod', 'common'],
  ])('%s is %s, stays, and is told by its name', (secret, why) => {
    const redactor = new Redactor(vocabulary);
    expect(redactor.add(secret, { name: 'the password', among: ['cci-production'] })).toEqual([]);
    redactor.add(secret, { name: 'the password', among: ['cci-production'] });
    expect(redactor.unmasked).toEqual([{ name: 'the password', why }]);
    expect(redactor.redact(`a ${secret} b`)).toBe(`a ${secret} b`);
    expect(redactor.redact(`password=${secret}`)).toBe('password=***');
  });

  test('without a name is told to nobody', () => {
    const redactor = new Redactor(vocabulary);
    redactor.add('postgres');
    expect(redactor.unmasked).toEqual([]);
  });
});

describe('what is redacted stays what it was', () => {
  const redactor = knowing('corr3ct-h0rse', key);
  const parts = fc.constantFrom(
    ...[
      'corr3ct-h0rse',
      'corr3ct',
      '-h0rse',
      'password',
      "'",
      '"',
      '=',
      ':',
      ' ',
      '\n',
      '\\',
      '***',
      '*',
      'E',
      '%',
      '&',
      ';',
      '|',
      'eyJ',
      '.',
      'abcdefgh1',
      '://',
      '@',
      'Authorization',
      'Bearer ',
      '-----BEGIN PRIVATE KEY-----',
      '-----END ',
      'token',
    ],
    key.slice(40, 90),
  );
  const texts = fc.oneof(
    fc.array(parts, { maxLength: 30 }).map((all) => all.join('')),
    fc.string(),
  );

  test('redacted again, it does not change', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const once = redactor.redact(text);
        expect(redactor.redact(once)).toBe(once);
        const lines = redactor.redactMarkdown(text);
        expect(redactor.redactMarkdown(lines)).toBe(lines);
      }),
      { numRuns: isWhole ? 3000 : 600 },
    );
  });

  test('Markdown keeps its lines and the cells of its tables', () => {
    const cells = (text: string) =>
      text.split('\n').map((line) => (line.startsWith('|') ? line.split(/(?<!\\)\|/).length : 0));
    fc.assert(
      fc.property(texts, texts, (one, other) => {
        const text = `| ${one.replaceAll('\n', ' ').replaceAll('|', '\\|')} | b |\n${other}\n| c | d |`;
        expect(cells(redactor.redactMarkdown(text))).toEqual(cells(text));
      }),
      { numRuns: isWhole ? 2000 : 400 },
    );
  });

  test('Markdown in lines is redacted like each of its lines', () => {
    fc.assert(
      fc.property(texts, texts, (one, other) => {
        expect(redactor.redactMarkdown(`${one}\n${other}`)).toBe(
          `${redactor.redactMarkdown(one)}\n${redactor.redactMarkdown(other)}`,
        );
      }),
    );
  });
});

test('takes linear time, whatever the text', () => {
  const redactor = knowing('corr3ct-h0rse/b&ttery', key);
  const long = (part: string) => part.repeat(Math.ceil(300_000 / part.length));
  const hard = [
    "password '",
    'password "',
    'password=',
    'password = ',
    '"token": ',
    'token: ',
    '\n- token',
    '://',
    '://a:',
    'eyJ',
    'eyJ.',
    'authorization: ',
    'cookie: ',
    'bearer ',
    'x-',
    '%25',
    '%',
    '\\',
    '\\u',
    '&amp;',
    '&',
    '-----BEGIN PRIVATE KEY-----',
    'SCRAM-SHA-256$1:a',
    'md5',
    'ghp_aaaaaaaaaaaaaaa ',
    'gh',
    'corr3ct-h0rse/b&tt',
    key.slice(30, 80),
    'a',
    ' ',
    "'",
    '"',
    "E'",
    '=',
    ';',
    '\n',
  ];
  for (const part of hard) {
    const start = performance.now();
    redactor.redact(long(part));
    // It takes some hundredths of a second; what is not linear takes minutes.
    expect([part, performance.now() - start < 5000]).toEqual([part, true]);
  }
});
