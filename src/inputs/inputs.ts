import { inputName } from '../common/input-name.ts';
import type { Image } from '../common/image.ts';
import { consentOf, type Consent } from './consent.ts';
import { servingImage, upgradeImage } from './images.ts';
import { inputTable } from './input-table.ts';

export { inputTable };

type InputTable = typeof inputTable;

type Given = { readonly [K in keyof InputTable]: ReturnType<InputTable[K]['parse']> };

/** The values of all inputs, read and checked, and what several of them mean together. Durations are in milliseconds, "not given" is '' or undefined. */
export interface Inputs extends Given {
  /** The image that serves PostgreSQL 14. */
  readonly servingImage: Image;
  /** The image of the upgrade Job, with the binaries of both majors; never ''. */
  readonly upgradeImage: string;
  /** What `confirm` agrees to; undefined where it is none of the values that a run of this mode takes. */
  readonly consent: Consent | undefined;
}

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
  const given = Object.fromEntries(values) as Given;
  return {
    ...given,
    servingImage: servingImage(given),
    upgradeImage: upgradeImage(given),
    consent: consentOf(given),
  };
}
