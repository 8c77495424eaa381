/** What a message is: text, or bytes. */
export type Data = string | Uint8Array;

/** Of the number before the bytes of a message. */
const NUMBER_BYTES = 4;

/**
 * Writes a number before a message: who moves sends at two places for a moment, and the number tells that two are one. Text
 * gets it in digits with a colon, bytes get it in four bytes, the greatest first.
 */
export function withNumber(number: number, data: Data): Data {
  if (typeof data === 'string') return `${number}:${data}`;
  const numbered = new Uint8Array(NUMBER_BYTES + data.length);
  new DataView(numbered.buffer).setUint32(0, number);
  numbered.set(data, NUMBER_BYTES);
  return numbered;
}

/** Takes the two apart; undefined where there is no number. */
export function splitNumber(numbered: Data): { readonly number: number; readonly data: Data } | undefined {
  if (typeof numbered === 'string') {
    const [, digits, data] = /^(\d{1,10}):(.*)$/s.exec(numbered) ?? [];
    return digits === undefined || data === undefined ? undefined : { number: Number(digits), data };
  }
  if (numbered.length < NUMBER_BYTES) return undefined;
  const { buffer, byteOffset } = numbered;
  return { number: new DataView(buffer, byteOffset).getUint32(0), data: numbered.slice(NUMBER_BYTES) };
}
