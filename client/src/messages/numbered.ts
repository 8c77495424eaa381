/** The content of a message: text or bytes. */
export type Data = string | Uint8Array;

/** The length of the number before a binary message. */
const NUMBER_BYTES = 4;

/**
 * Puts a number before a message: a peer that moves sends it over two sessions, and receivers drop the second copy. Text has
 * the number as digits and a colon, bytes have it as four bytes, big-endian.
 */
export function withNumber(number: number, data: Data): Data {
  if (typeof data === 'string') return `${number}:${data}`;
  const numbered = new Uint8Array(NUMBER_BYTES + data.length);
  new DataView(numbered.buffer).setUint32(0, number);
  numbered.set(data, NUMBER_BYTES);
  return numbered;
}

/** Splits a number from its message; undefined if there is no number. */
export function splitNumber(numbered: Data): { readonly number: number; readonly data: Data } | undefined {
  if (typeof numbered === 'string') {
    const [, digits, data] = /^(\d{1,10}):(.*)$/s.exec(numbered) ?? [];
    return digits === undefined || data === undefined ? undefined : { number: Number(digits), data };
  }
  if (numbered.length < NUMBER_BYTES) return undefined;
  const { buffer, byteOffset } = numbered;
  return { number: new DataView(buffer, byteOffset).getUint32(0), data: numbered.slice(NUMBER_BYTES) };
}
