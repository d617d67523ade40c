import type { ErrorCode } from './error-codes.ts';
import type { Remedy } from '../text/remedy.ts';
import { CancelledError, describe, isRunError } from './errors.ts';

/** A fact that was read, or the reason why it could not be, with the error's code. */
export type Known<T> = { readonly known: true; readonly value: T } | Unknown;

export interface Unknown {
  readonly known: false;
  readonly reason: string;
  readonly code: ErrorCode | ReasonCode;
  /** What the error says to do, where one tells why. */
  readonly remedy?: Remedy;
}

/** Why a fact is unknown, where no error tells. */
type ReasonCode =
  typeof notAsked | 'no-connections' | 'not-tried' | 'permissions-missing' | 'query-failed' | 'unexpected';

/** Code of a fact that the inputs say not to ask for. */
export const notAsked = 'not-asked';

/** What can't be read is unknown, with its reason; only a cancellation throws. */
export async function known<T>(read: () => T | Promise<T>): Promise<Known<T>> {
  try {
    return { known: true, value: await read() };
  } catch (error) {
    if (error instanceof CancelledError) throw error;
    return unread(error);
  }
}

function unread(error: unknown): Known<never> {
  const reason = describe(error);
  return isRunError(error)
    ? { known: false, reason, code: error.code, remedy: error.remedy }
    : { known: false, reason, code: 'unexpected' };
}

/** A fact that is read with another one, and unknown where that is. */
export async function thenFact<A, T>(fact: Known<A>, read: (value: A) => T | Promise<T>): Promise<Known<T>> {
  return fact.known ? await known(() => read(fact.value)) : fact;
}

/** A fact made of another one. */
export function mapFact<A, T>(fact: Known<A>, make: (value: A) => T): Known<T> {
  if (!fact.known) return fact;
  try {
    return { known: true, value: make(fact.value) };
  } catch (error) {
    return unread(error);
  }
}

/** A fact made of two others. */
export function combineFacts<A, B, T>(a: Known<A>, b: Known<B>, make: (a: A, b: B) => T): Known<T> {
  if (!a.known) return a;
  return mapFact(b, (value) => make(a.value, value));
}

/** For `combineFacts`, where both facts are needed as they are. */
export function pair<A, B>(a: A, b: B): readonly [A, B] {
  return [a, b];
}
