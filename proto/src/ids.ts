import { z } from 'zod';

/** Stands for all rooms in a token. */
export const ALL_ROOMS = '*';

/** Characters that change the direction of text (Unicode UAX #9), with which one id can look like another. */
const BIDI_CONTROL = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/** The most UTF-8 bytes of the id of a room, a peer or a daemon. */
const MAX_ID_BYTES = 128;

/**
 * The id of a room, a peer or a daemon: 1 to 128 bytes of UTF-8 without control characters, those that change the
 * direction of text and those that end a line or paragraph included, and neither `.` nor `..`, which URL parsers take for folders, nor `*`, which stands for
 * all rooms in grants.
 */
export const idSchema = z
  .string()
  .min(1, 'is empty')
  .refine((id) => new TextEncoder().encode(id).length <= MAX_ID_BYTES, `is longer than ${MAX_ID_BYTES} bytes`)
  .refine((id) => !/\p{Cc}|\p{Zl}|\p{Zp}|\p{Cs}/u.test(id), 'has a control character or half a surrogate pair')
  .refine((id) => !BIDI_CONTROL.test(id), 'has a character that changes the direction of text')
  .refine((id) => id !== ALL_ROOMS, 'is "*", which stands for all rooms')
  .refine((id) => id !== '.' && id !== '..', 'is "." or ".."')
  .meta({ description: '1 to 128 bytes of UTF-8 without control characters, neither "." nor ".." nor "*"' });
