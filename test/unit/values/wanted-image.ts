import { isRunError, type RunError } from '../../../src/common/errors.ts';
import { editValues, type EditedValues } from '../../../src/values/edit-values.ts';
import { parsePath } from '../../../src/values/path.ts';
import type { EditOptions } from '../../../src/values/plan.ts';

export const wantedImage = {
  registry: 'docker.io',
  repository: 'circleci/server-postgres',
  tag: '14.22.4094-4922444',
} as const;

/** With the path as the input `values-path` takes it. */
type Options = Partial<Omit<EditOptions, 'path'>> & { readonly path?: string };

export function edit(text: string, { path, ...options }: Options = {}): EditedValues {
  const keys = path === undefined ? {} : { path: parsePath(path) };
  return editValues(text, { file: 'values.yaml', image: wantedImage, ...options, ...keys });
}

/** The refusal that an edit ends with; an edit that goes through fails the test. */
export function refusalOf(text: string, options: Options = {}): RunError {
  let result: EditedValues;
  try {
    result = edit(text, options);
  } catch (error) {
    if (isRunError(error)) return error;
    throw error;
  }
  throw new Error(`not refused, but ${result.operation}: ${JSON.stringify(result.text)}`);
}

/** Lines, each with a line end. */
export function lines(...texts: string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}

export const imageNames = ['    registry: docker.io', '    repository: circleci/server-postgres'];

/** A file whose image has everything but the tag, with other lines around. */
export function around(tagLine: string, before: string[] = [], after: string[] = []): string {
  return lines(...before, 'postgresql:', '  image:', ...imageNames, tagLine, ...after);
}
