import { ConfigurationError } from '../errors.ts';
import { position } from './position.ts';
import type { Source } from './source.ts';

/** The error that ends an edit before anything is written: where in the file, what, and what to do instead. */
export function refusal(
  source: Source,
  offset: number,
  code: string,
  what: string,
  remedy: string,
  options?: ErrorOptions,
): ConfigurationError {
  const { line, column } = position(source.text, offset);
  return new ConfigurationError(
    `values-${code}`,
    `${source.file}:${String(line)}:${String(column)}: ${what}.`,
    remedy,
    { ...options, place: { file: source.file, line } },
  );
}
