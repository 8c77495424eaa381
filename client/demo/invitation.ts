/** What an application's link brings in its fragment, `#token=..`, where the service lets in only who has a token. */
export interface Invitation {
  readonly token: string;
  /** The room and the peer that the token is for, and when it ends, in ms since 1970. */
  readonly roomId: string;
  readonly peerId: string;
  readonly expiresAt: number;
}

/**
 * Reads the access token of a link. Whether it is genuine only the service can tell; a text that is no token at all is kept
 * too, so that the service can refuse it in so many words.
 *
 * @param hash the address's fragment, which unlike its query is never sent to a server or written to its log
 */
export function readInvitation(hash: string): Invitation | undefined {
  const token = new URLSearchParams(hash.replace(/^#/, '')).get('token');
  if (!token) return undefined;
  const { sub, room, exp } = claimsOf(token);
  return {
    token,
    roomId: typeof room === 'string' ? room : '',
    peerId: typeof sub === 'string' ? sub : '',
    expiresAt: typeof exp === 'number' ? exp * 1000 : 0,
  };
}

function claimsOf(token: string): { readonly sub?: unknown; readonly room?: unknown; readonly exp?: unknown } {
  try {
    const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    return Object(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return {};
  }
}
