import type { ErrorCode } from '@mediasoup-server/proto/errorCodes';
import type { Problem } from '@mediasoup-server/proto/http';
import { RoomError, type RoomErrorCode } from './errors.ts';

/** The servers' codes that say more than their status. */
const byServerCode: Partial<Record<ErrorCode, RoomErrorCode>> = {
  ROOM_FULL: 'ROOM_FULL',
  NO_CAPACITY: 'NO_CAPACITY',
};

/**
 * The error for an HTTP response that is not a success.
 *
 * @param body the parsed body, a problem (RFC 9457) if the control plane itself answered
 * @param retryAfter the `Retry-After` header: seconds (the control plane does not use the form with a date)
 */
export function problemToRoomError(status: number, body: unknown, retryAfter: string | null): RoomError {
  const { code: serverCode, detail, title }: Partial<Problem> = typeof body === 'object' && body !== null ? body : {};
  const code = isForeign(status) ? 'CONTROL_PLANE_UNREACHABLE' : codeOf(status, serverCode);
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter);
  return new RoomError(code, detail ?? title ?? `The control plane answered with status ${status}`, {
    status,
    serverCode,
    retryAfterMs: Number.isFinite(seconds) ? Math.max(0, seconds * 1000) : undefined,
  });
}

/** The error for a request that the daemon refused. Its reason starts with the server's code: `ROOM_FULL: ...`. */
export function protooToRoomError({ code: status, reason }: { code: number; reason: string }): RoomError {
  const { serverCode, text } = splitReason(reason);
  return new RoomError(codeOf(status, serverCode), text, { status, serverCode });
}

/** Separates the server's code from the text for people. A backend's own reason may have no code. */
export function splitReason(reason: string): { readonly serverCode: string | undefined; readonly text: string } {
  const [, serverCode, text = reason] = /^([A-Z_]+): (.*)$/s.exec(reason) ?? [];
  return { serverCode, text };
}

function codeOf(status: number, serverCode: string | undefined): RoomErrorCode {
  const known = serverCode === undefined ? undefined : byServerCode[serverCode as ErrorCode];
  if (known) return known;
  if (status === 401 || status === 403) return 'REFUSED';
  if (status === 429 || status === 503) return 'UNAVAILABLE';
  if (status >= 400 && status < 500) return 'INVALID_REQUEST';
  return 'INTERNAL';
}

/** Whether a proxy in front of the control plane answered, which itself never answers an assignment with these. */
function isForeign(status: number): boolean {
  return status === 404 || status === 502 || status === 504;
}
