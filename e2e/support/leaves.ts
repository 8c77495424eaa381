/** Values that replace each value of a valid request; `undefined` omits it. */
export const hostileValues: readonly unknown[] = [
  ...[-1, 0, 0.5, -0.5, 255, 256, 65_536, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 64, 1e308, -1e308],
  ...[null, undefined, true, false, '', 'x', '0.5', '__proto__', 'constructor', '\u0000', '\ud800', 'x'.repeat(5000)],
  ...[[], [null], [0.5], {}, { toString: 'x', valueOf: 'x' }],
  JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{}}}') as unknown,
];

/** The path of a value within data, as names and indices. */
type Place = readonly string[];

/** The paths of all values in data, at any depth. */
export function placesIn(data: object): Place[] {
  return Object.entries(data).flatMap(([name, member]): Place[] => [
    [name],
    ...(typeof member === 'object' && member !== null ? placesIn(member).map((place) => [name, ...place]) : []),
  ]);
}

/** A copy of the data with another value in one place. */
export function withValue<T extends object>(data: T, place: Place, value: unknown): T {
  const copy = structuredClone(data);
  let within = copy as Record<string, unknown>;
  for (const name of place.slice(0, -1)) within = within[name] as Record<string, unknown>;
  within[place.at(-1) ?? ''] = value;
  return copy;
}
