import { ALL_ROOMS } from '@mediasoup-server/proto/http';
import { HttpProblem } from '@mediasoup-server/server-kit/problem';
import type { Request, RequestHandler, Response } from 'express';
import { type Access, type AccessTokens, type Grants, isFor } from '../tokens/AccessTokens.ts';
import { readBearer } from './bearer.ts';

/** The grants of every peer in mode `open`. */
const OPEN: Grants = { publish: true, subscribe: true, data: true, admin: false };

/** Authorizes requests: in mode `jwt` by their access token, in mode `open` all of them. */
export class Authorization {
  readonly #tokens: AccessTokens | undefined;

  /** @param tokens undefined in mode `open`. */
  constructor(tokens: AccessTokens | undefined) {
    this.#tokens = tokens;
  }

  /** Requires an access token for whatever room. It comes before the body is read, so a stranger's body is not. */
  readonly known: RequestHandler = async (request, response, next) => {
    await this.#verify(request, response);
    next();
  };

  /**
   * The grants of a peer in a room, from the token of a request that has passed `known`.
   *
   * @throws HttpProblem FORBIDDEN if the token is for another peer or room.
   */
  peer(response: Response, roomId: string, peerId: string): Grants {
    const access = this.#accessOf(response);
    if (!access) return OPEN;
    if (access.room !== roomId || access.peerId !== peerId)
      throw new HttpProblem('FORBIDDEN', 'the token is for another peer or room');
    return access.grants;
  }

  /** Requires a token for the room of the path. */
  readonly room: RequestHandler = async (request, response, next) => {
    const access = await this.#verify(request, response);
    if (access && !isFor(access, String(request.params.roomId)))
      throw new HttpProblem('FORBIDDEN', 'the token is for another room');
    next();
  };

  /**
   * Requires the grant `admin` for a room, or for all, in the token of a request that has passed `known`.
   *
   * @throws HttpProblem FORBIDDEN.
   */
  admin(response: Response, roomId: string): void {
    const access = this.#accessOf(response);
    if (!access) return;
    if (!access.grants.admin || !isFor(access, roomId))
      throw new HttpProblem('FORBIDDEN', 'the token does not grant this');
  }

  /** Requires the grant `admin` for the room of the path, or for all rooms if the path has none. */
  readonly operator: RequestHandler = async (request, response, next) => {
    await this.#verify(request, response);
    this.admin(response, String(request.params.roomId ?? ALL_ROOMS));
    next();
  };

  async #verify(request: Request, response: Response): Promise<Access | undefined> {
    if (this.#tokens) response.locals.access = await this.#tokens.verify(readBearer(request));
    return this.#accessOf(response);
  }

  /** The access of the verified token; undefined in mode `open`. */
  #accessOf(response: Response): Access | undefined {
    return this.#tokens && (response.locals.access as Access);
  }
}
