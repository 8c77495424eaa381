import {
  create,
  type DescMessage,
  fromJson,
  type JsonValue,
  type MessageInitShape,
  type MessageShape,
  toJson,
} from '@bufbuild/protobuf';
import { ControlPlaneError } from '@mediasoup-server/proto/ControlPlaneError';
import {
  ClaimRoomRequestSchema,
  ClaimRoomResponseSchema,
  HeartbeatRequestSchema,
  HeartbeatResponseSchema,
  RegisterRequestSchema,
  RegisterResponseSchema,
  ReportRoomsRequestSchema,
  ReportRoomsResponseSchema,
} from '@mediasoup-server/proto/registry';

/** How long a request to the control plane may take. */
const TIMEOUT_MS = 3000;

/** The registry's requests of one daemon. Each rejects with ControlPlaneError for a refusal, with a TypeError without an answer. */
export class ControlPlaneClient {
  readonly #daemon: URL;

  constructor(controlPlaneUrl: string, daemonId: string) {
    this.#daemon = new URL(
      `daemons/${encodeURIComponent(daemonId)}/`,
      controlPlaneUrl.endsWith('/') ? controlPlaneUrl : `${controlPlaneUrl}/`,
    );
  }

  register(key: string, body: MessageInitShape<typeof RegisterRequestSchema>) {
    return this.#send('POST', 'registrations', key, RegisterRequestSchema, body, RegisterResponseSchema);
  }

  heartbeat(secret: string, body: MessageInitShape<typeof HeartbeatRequestSchema>) {
    return this.#send('POST', 'heartbeats', secret, HeartbeatRequestSchema, body, HeartbeatResponseSchema);
  }

  claimRoom(secret: string, roomId: string, body: MessageInitShape<typeof ClaimRoomRequestSchema>) {
    return this.#send(
      'PUT',
      `rooms/${encodeURIComponent(roomId)}`,
      secret,
      ClaimRoomRequestSchema,
      body,
      ClaimRoomResponseSchema,
    );
  }

  reportRooms(secret: string, body: MessageInitShape<typeof ReportRoomsRequestSchema>) {
    return this.#send('POST', 'rooms', secret, ReportRoomsRequestSchema, body, ReportRoomsResponseSchema);
  }

  async deregister(secret: string): Promise<void> {
    await this.#fetch('DELETE', '.', secret);
  }

  async #send<I extends DescMessage, O extends DescMessage>(
    method: string,
    path: string,
    credential: string,
    input: I,
    body: MessageInitShape<I>,
    output: O,
  ): Promise<MessageShape<O>> {
    const answer = await this.#fetch(method, path, credential, JSON.stringify(toJson(input, create(input, body))));
    return fromJson(output, (await answer.json()) as JsonValue, { ignoreUnknownFields: true });
  }

  async #fetch(method: string, path: string, credential: string, body?: string): Promise<Response> {
    const url = path === '.' ? this.#daemon.href.replace(/\/$/, '') : new URL(path, this.#daemon).href;
    const answer = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${credential}`, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body !== undefined && { body }),
    });
    if (answer.ok) return answer;
    throw await ControlPlaneError.from(answer);
  }
}
