import { inputName } from '../common/input-name.ts';
import { consentOf, type Consent } from './consent.ts';
import { chooseImages, type ChosenImages, type ImageInputs } from './images.ts';
import { inputTable } from './input-table.ts';

export { inputTable };

type InputTable = typeof inputTable;

type Given = { readonly [K in keyof InputTable]: ReturnType<InputTable[K]['parse']> };

/** The values of all inputs, read and checked, and what several of them mean together. Durations are in milliseconds, "not given" is '' or undefined. */
export interface Inputs extends Given, ChosenImages {
  /** The inputs that choose the images, as they are given. */
  readonly imagesGiven: ImageInputs;
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
  return { ...given, ...chooseImages(given), imagesGiven: given, consent: consentOf(given) };
}

/**
 * The inputs with the images that the server's own one leads to, where the inputs leave that open.
 * @param own the image of PostgreSQL in the StatefulSet
 */
export function withServersImage(inputs: Inputs, own: string): Inputs {
  return { ...inputs, ...chooseImages(inputs.imagesGiven, own) };
}
