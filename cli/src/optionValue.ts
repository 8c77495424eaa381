import { ALL_ROOMS, idSchema } from '@mediasoup-server/proto/ids';
import { InvalidArgumentError } from 'commander';

/** Reads an option that is a whole number of at least `min`. */
export const wholeNumber =
  (min: number) =>
  (text: string): number => {
    if (/^\d+$/.test(text) && Number(text) >= min && Number.isSafeInteger(Number(text))) return Number(text);
    throw new InvalidArgumentError(`It is not a whole number of at least ${min}.`);
  };

/** Reads the id of a room, a peer or a daemon. */
export function id(text: string): string {
  const { error } = idSchema.safeParse(text);
  if (error) throw new InvalidArgumentError(`It ${error.issues[0]?.message}.`);
  return text;
}

/** Reads a token's room: an id, or `*` for all rooms. */
export const tokenRoom = (text: string): string => (text === ALL_ROOMS ? text : id(text));

/** Reads the URL of an HTTP server. */
export function httpUrl(text: string): string {
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return text;
  throw new InvalidArgumentError('It is not a URL that begins with http:// or https://.');
}
