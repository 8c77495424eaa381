const ADJECTIVES = [
  'amber',
  'brave',
  'calm',
  'clear',
  'gentle',
  'golden',
  'happy',
  'lively',
  'quiet',
  'sunny',
  'swift',
  'warm',
];
const NOUNS = [
  'brook',
  'cedar',
  'comet',
  'falcon',
  'garden',
  'harbor',
  'island',
  'lantern',
  'maple',
  'meadow',
  'otter',
  'river',
];

/** A room name that can be said over the phone, such as `quiet-river-42`. */
export function friendlyRoomName(random: () => number = Math.random): string {
  const pick = (words: readonly string[]) => words[Math.floor(random() * words.length)];
  return `${pick(ADJECTIVES)}-${pick(NOUNS)}-${10 + Math.floor(random() * 90)}`;
}

/** One or two letters to show for a person without a camera. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => (word ? [...word][0] : ''));
  return letters.join('').toUpperCase() || '?';
}

/** A random peer id; `crypto.randomUUID` is missing on plain http. */
export function randomPeerId(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The hue of a person's colour in degrees, the same on each screen. */
export function hue(id: string): number {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 360;
  return sum;
}
