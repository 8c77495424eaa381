import { HttpProblem } from '@mediasoup-server/process/problem';
import { ALL_ROOMS } from '@mediasoup-server/proto/http';
import type { Request, RequestHandler } from 'express';
import { type AccessTokens, type Grants, isFor } from '../tokens/AccessTokens.ts';
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

  /**
   * Whether a peer may join a room, and what it may do there.
   *
   * @throws HttpProblem UNAUTHORIZED; FORBIDDEN with the token of another peer or for another room.
   */
  async peer(request: Request, roomId: string, peerId: string): Promise<Grants> {
    if (!this.#tokens) return OPEN;
    const access = await this.#tokens.verify(readBearer(request));
    if (access.room !== roomId || access.peerId !== peerId)
      throw new HttpProblem('FORBIDDEN', 'the token is for another peer or room');
    return access.grants;
  }

  /** Lets pass who has a token for the room of the path. */
  readonly room: RequestHandler = async (request, _response, next) => {
    if (this.#tokens) {
      const access = await this.#tokens.verify(readBearer(request));
      if (!isFor(access, String(request.params.roomId)))
        throw new HttpProblem('FORBIDDEN', 'the token is for another room');
    }
    next();
  };

  /**
   * Whether somebody may operate a room, or all of them: who has a token for it with the grant `admin`.
   *
   * @throws HttpProblem UNAUTHORIZED, FORBIDDEN.
   */
  async admin(request: Request, roomId: string): Promise<void> {
    if (!this.#tokens) return;
    const access = await this.#tokens.verify(readBearer(request));
    if (!access.grants.admin || !isFor(access, roomId))
      throw new HttpProblem('FORBIDDEN', 'the token does not grant this');
  }

  /** Lets operators pass: of the room of the path, or of all where there is none. */
  readonly operator: RequestHandler = async (request, _response, next) => {
    await this.admin(request, String(request.params.roomId ?? ALL_ROOMS));
    next();
  };
}
