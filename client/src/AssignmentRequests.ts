import type { Assignment, AssignmentRequest } from '@mediasoup-server/proto/http';
import { RoomError } from './errors.ts';
import { problemToRoomError } from './serverErrors.ts';

/** How long the control plane may take to answer, ms: it may have to create the room on a daemon first. */
const TIMEOUT_MS = 10_000;
/** How long after an unanswered request the same one is sent again, ms; each time `LONGER` times as long. */
const REPEAT_MS = 4_000;
const LONGER = 4;

/** A token, or a function that returns one that is still valid. */
export type AccessToken = string | (() => string | Promise<string>);

export interface AssignmentOptions {
  /** The control plane's origin. */
  readonly controlPlaneUrl: string;
  readonly roomId: string;
  readonly accessToken?: AccessToken | undefined;
}

/** A request that the control plane has not answered. */
interface OpenRequest {
  readonly body: string;
  readonly sentAt: number;
  readonly abort: AbortController;
}

/** An attempt that waits for the answer to any of the requests with this body. */
interface Waiter {
  readonly body: string;
  resolve(assignment: Assignment): void;
  reject(error: RoomError): void;
}

/**
 * Asks the control plane which daemon one peer connects to.
 *
 * A request without an answer stays open when its attempt ends, and later attempts wait for it too. A browser keeps the
 * connection of an aborted request and gives it to the next one, which then waits until TCP sends again what was lost: up
 * to half a minute after a long outage. It opens six connections to a server, so that a request is repeated ever less often.
 */
export class AssignmentRequests {
  readonly #options: AssignmentOptions;
  #open: OpenRequest[] = [];
  #waiters: Waiter[] = [];

  constructor(options: AssignmentOptions) {
    this.#options = options;
  }

  /**
   * @throws {RoomError} CONTROL_PLANE_UNREACHABLE, ROOM_FULL, NO_CAPACITY, REFUSED, ...
   */
  async request(request: AssignmentRequest, signal: AbortSignal): Promise<Assignment> {
    const body = JSON.stringify(request);
    const waiter = { body, ...Promise.withResolvers<Assignment>() };
    const late = setTimeout(() => waiter.reject(unreachable('The control plane does not answer')), TIMEOUT_MS);
    const abort = () => waiter.reject(unreachable('The attempt was aborted'));
    signal.addEventListener('abort', abort);
    this.#waiters.push(waiter);
    try {
      if (signal.aborted) abort();
      else if (this.#isDue(body)) void this.#send(body);
      return await waiter.promise;
    } finally {
      clearTimeout(late);
      signal.removeEventListener('abort', abort);
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
    }
  }

  /** Aborts what is open: the peer leaves. */
  close(): void {
    this.#end(unreachable('The peer has left'));
  }

  #isDue(body: string): boolean {
    const same = this.#open.filter((other) => other.body === body);
    const last = same.at(-1);
    return last === undefined || Date.now() - last.sentAt >= REPEAT_MS * LONGER ** (same.length - 1);
  }

  async #send(body: string): Promise<void> {
    const request: OpenRequest = { body, sentAt: Date.now(), abort: new AbortController() };
    this.#open.push(request);
    try {
      const assignment = await this.#fetch(request);
      if (this.#open.includes(request)) this.#answered(request, (waiter) => waiter.resolve(assignment));
    } catch (error) {
      const reason = RoomError.from(error);
      if (!this.#open.includes(request)) return;
      if (reason.status !== undefined) this.#answered(request, (waiter) => waiter.reject(reason));
      else this.#failed(request, reason);
    }
  }

  async #fetch({ body, sentAt, abort }: OpenRequest): Promise<Assignment> {
    const { controlPlaneUrl, roomId, accessToken: given } = this.#options;
    const base = controlPlaneUrl.replace(/\/+$/, '');
    const accessToken = typeof given === 'function' ? await given() : given;
    let response: Response;
    try {
      response = await fetch(`${base}/rooms/${encodeURIComponent(roomId)}/assignments`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }),
        },
        body,
        signal: abort.signal,
      });
    } catch (error) {
      throw unreachable('The control plane cannot be reached', error);
    }
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok && typeof (answer as Partial<Assignment> | undefined)?.url === 'string')
      return answer as Assignment;
    if (response.ok) throw unreachable('The answer of the control plane is not an assignment');
    // What was sent long ago may be refused because its access token has expired since.
    if (Date.now() - sentAt > TIMEOUT_MS) throw unreachable('The control plane answered too late');
    throw problemToRoomError(response.status, answer, response.headers.get('retry-after'));
  }

  /** Gives an answer to the attempt that waits longest. Its token joins once, so that the other attempts ask again. */
  #answered({ body }: OpenRequest, give: (waiter: Waiter) => void): void {
    const waiter = this.#waiters.find((waiter) => waiter.body === body) ?? this.#waiters[0];
    if (waiter) give(waiter);
    this.#end(new RoomError('CONNECTION_LOST', 'Another attempt got the answer'));
  }

  #failed(request: OpenRequest, reason: RoomError): void {
    this.#open = this.#open.filter((other) => other !== request);
    if (this.#open.some(({ body }) => body === request.body)) return;
    for (const waiter of this.#waiters) if (waiter.body === request.body) waiter.reject(reason);
  }

  #end(error: RoomError): void {
    for (const { abort } of this.#open.splice(0)) abort.abort();
    for (const waiter of this.#waiters) waiter.reject(error);
  }
}

const unreachable = (message: string, cause?: unknown) =>
  new RoomError('CONTROL_PLANE_UNREACHABLE', message, { cause });
