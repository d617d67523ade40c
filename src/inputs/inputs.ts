import { inputName } from '../common/input-name.ts';
import { inputTable } from './input-table.ts';

export { inputTable };

type InputTable = typeof inputTable;

/** The values of all inputs, read and checked. Durations are in milliseconds, "not given" is '' or undefined. */
export type Inputs = { readonly [K in keyof InputTable]: ReturnType<InputTable[K]['parse']> };

/**
 * Reads every input.
 * @param read the text of an input by its name, '' when it is not given
 * @throws ConfigurationError for the first input that is missing or wrong
 */
export function parseInputs(read: (name: string) => string): Inputs {
  const values = Object.entries(inputTable).map(([key, input]) => {
    const name = inputName(key);
    return [key, input.parse(read(name).trim() || input.default, name)] as const;
  });
  return Object.fromEntries(values) as Inputs;
}
