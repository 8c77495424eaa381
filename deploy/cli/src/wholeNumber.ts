import { InvalidArgumentError } from 'commander';

/** Reads an option that is a whole number of at least `min`. */
export const wholeNumber =
  (min: number) =>
  (text: string): number => {
    if (/^\d+$/.test(text) && Number(text) >= min) return Number(text);
    throw new InvalidArgumentError(`It is no whole number from ${min} on.`);
  };
