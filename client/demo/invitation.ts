/** An application's link for a service that requires access tokens: the fragment is `#token=..`. */
export interface Invitation {
  readonly token: string;
  /** The token's room and peer, and its expiry in ms since 1970. */
  readonly roomId: string;
  readonly peerId: string;
  readonly expiresAt: number;
}

/**
 * Reads the access token of a link. Only the service can verify it; a text that is not a token is kept too, so that the
 * service refuses it with a reason.
 *
 * @param hash the fragment of the address, which browsers do not send to servers, so that no log has the token
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
