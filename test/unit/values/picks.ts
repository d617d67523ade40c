import fc from '../../fast-check.ts';

/** The choices of which a generated file consists. */
export interface Picks {
  /** From 0 to `max`. */
  upTo(max: number): number;
  one<T>(of: readonly T[]): T;
  /** Once in so many times. */
  rarely(times: number): boolean;
}

/** Choices that fast-check makes, shrinks and repeats from its seed. */
export const picks: fc.Arbitrary<Picks> = fc.gen().map((generate) => {
  const upTo = (max: number) => generate(fc.nat, max);
  return {
    upTo,
    one: <T>(of: readonly T[]) => of[upTo(of.length - 1)] as T,
    rarely: (times) => upTo(times - 1) === times - 1,
  };
});
