import type { Assignment, AssignmentRequest } from '@mediasoup-server/proto/http';
import { RoomError } from './errors.ts';
import { problemToRoomError } from './serverErrors.ts';

/** How long the control plane may take to answer, ms: it may have to create the room on a daemon first. */
const TIMEOUT_MS = 10_000;

/** A token, or a function that returns one that is still valid. */
export type AccessToken = string | (() => string | Promise<string>);

export interface AssignmentOptions {
  readonly controlPlaneUrl: string;
  readonly roomId: string;
  readonly accessToken?: AccessToken | undefined;
  readonly request: AssignmentRequest;
  readonly signal: AbortSignal;
}

/**
 * Asks the control plane which daemon the peer connects to.
 *
 * @throws {RoomError} CONTROL_PLANE_UNREACHABLE, ROOM_FULL, NO_CAPACITY, REFUSED, ...
 */
export async function requestAssignment(options: AssignmentOptions): Promise<Assignment> {
  const base = options.controlPlaneUrl.replace(/\/+$/, '');
  const { accessToken: given } = options;
  const accessToken = typeof given === 'function' ? await given() : given;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(`${base}/rooms/${encodeURIComponent(options.roomId)}/assignments`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }),
      },
      body: JSON.stringify(options.request),
      signal: AbortSignal.any([options.signal, late.signal]),
    });
  } catch (error) {
    throw new RoomError('CONTROL_PLANE_UNREACHABLE', 'The control plane cannot be reached', { cause: error });
  } finally {
    clearTimeout(timer);
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw problemToRoomError(response.status, body, response.headers.get('retry-after'));
  if (typeof (body as Partial<Assignment> | undefined)?.url !== 'string') {
    throw new RoomError('CONTROL_PLANE_UNREACHABLE', 'The answer of the control plane is not an assignment');
  }
  return body as Assignment;
}
