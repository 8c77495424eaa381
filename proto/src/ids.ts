import { z } from 'zod';

/** The most bytes of UTF-8 that a room's, peer's or daemon's id has. */
const MAX_ID_BYTES = 128;

/**
 * The id of a room, a peer or a daemon: 1 to 128 bytes of UTF-8 without control characters, and neither `.` nor `..`,
 * which URL parsers take for folders.
 */
export const idSchema = z
  .string()
  .min(1, 'is empty')
  .refine((id) => new TextEncoder().encode(id).length <= MAX_ID_BYTES, `is longer than ${MAX_ID_BYTES} bytes`)
  .refine((id) => !/\p{Cc}|\p{Cs}/u.test(id), 'has a control character or half a surrogate pair')
  .refine((id) => id !== '.' && id !== '..', 'is "." or ".."')
  .meta({ description: '1 to 128 bytes of UTF-8 without control characters, neither "." nor ".."' });
