import { ALL_ROOMS } from '@mediasoup-server/proto/http';
import { HttpProblem } from '@mediasoup-server/server-kit/problem';
import type { Request, RequestHandler, Response } from 'express';
import { type Access, type AccessTokens, type Grants, isFor } from '../tokens/AccessTokens.ts';
import { readBearer } from './bearer.ts';

/** What a peer may do in mode `open`, which knows no rights. */
const OPEN: Grants = { publish: true, subscribe: true, data: true, admin: false };

/** Who may ask for what: in mode `jwt` whoever shows an access token for it, in mode `open` everybody. */
export class Authorization {
  readonly #tokens: AccessTokens | undefined;

  /** @param tokens undefined in mode `open`. */
  constructor(tokens: AccessTokens | undefined) {
    this.#tokens = tokens;
  }

  /** Lets pass who shows an access token, whatever it is for. It comes before a body is read: a stranger's is not. */
  readonly known: RequestHandler = async (request, response, next) => {
    await this.#verify(request, response);
    next();
  };

  /**
   * Whether a peer may join a room, and what it may do there, by the request of the response, which has passed `known`.
   *
   * @throws HttpProblem FORBIDDEN with the token of another peer or for another room.
   */
  peer(response: Response, roomId: string, peerId: string): Grants {
    const access = this.#accessOf(response);
    if (!access) return OPEN;
    if (access.room !== roomId || access.peerId !== peerId)
      throw new HttpProblem('FORBIDDEN', 'the token is for another peer or room');
    return access.grants;
  }

  /** Lets pass who has a token for the room of the path. */
  readonly room: RequestHandler = async (request, response, next) => {
    const access = await this.#verify(request, response);
    if (access && !isFor(access, String(request.params.roomId)))
      throw new HttpProblem('FORBIDDEN', 'the token is for another room');
    next();
  };

  /**
   * Whether the request of the response, which has passed `known`, may operate a room, or all of them: who has a token for
   * it with the grant `admin`.
   *
   * @throws HttpProblem FORBIDDEN.
   */
  admin(response: Response, roomId: string): void {
    const access = this.#accessOf(response);
    if (!access) return;
    if (!access.grants.admin || !isFor(access, roomId))
      throw new HttpProblem('FORBIDDEN', 'the token does not grant this');
  }

  /** Lets operators pass: of the room of the path, or of all where there is none. */
  readonly operator: RequestHandler = async (request, response, next) => {
    await this.#verify(request, response);
    this.admin(response, String(request.params.roomId ?? ALL_ROOMS));
    next();
  };

  async #verify(request: Request, response: Response): Promise<Access | undefined> {
    if (this.#tokens) response.locals.access = await this.#tokens.verify(readBearer(request));
    return this.#accessOf(response);
  }

  /** What the token allows that was verified; undefined in mode `open`. */
  #accessOf(response: Response): Access | undefined {
    return this.#tokens && (response.locals.access as Access);
  }
}
