import { createHmac } from 'node:crypto';
import { iceServerSchema } from '@mediasoup-server/proto/http';
import { z } from 'zod';
import { integer, list } from './settings.ts';

/** An ICE server as the browser's RTCPeerConnection takes it. */
type IceServer = z.infer<typeof iceServerSchema>;

/** RFC 7065, 3.1. */
const TURN_URL = /^turns?:(\[[\da-f:.]+\]|[\w.-]+)(:\d{1,5})?(\?transport=(udp|tcp))?$/i;

/** STUN and TURN servers from JSON, as RTCPeerConnection takes them: `[{"urls": "turn:..", "username": "..", ..}]`. */
const servers = () =>
  z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: 'custom', message: 'is not JSON' });
        return z.NEVER;
      }
    })
    .pipe(z.array(iceServerSchema, 'is not a list of STUN and TURN servers'));

/** The settings of both servers that name the STUN and TURN servers of clients. */
export const iceServerSettings = {
  iceServers: servers().default([]).meta({
    secret: true,
    description:
      'The STUN and TURN servers that clients get, as JSON: `[{"urls":"turn:turn.example.com","username":"..","credential":".."}]`.',
  }),
  turnUrls: list()
    .refine(
      (urls) => urls.every((url) => TURN_URL.test(url)),
      'contains something that is not a TURN URL such as turn:turn.example.com:3478',
    )
    .default([])
    .meta({
      description: 'TURN servers that clients get as well, with credentials that expire: URLs, separated by commas.',
    }),
  turnSecret: z.string().min(16, 'is shorter than 16 characters').optional().meta({
    description: "The secret from which those credentials are derived: coturn's `static-auth-secret`.",
    secret: true,
  }),
  turnCredentialSeconds: integer(60, 31_536_000)
    .default(86_400)
    .meta({ description: 'The lifetime of those credentials, in seconds. Choose it longer than calls last.' }),
};

export type IceServerSettings = {
  readonly iceServers: readonly IceServer[];
  readonly turnUrls?: readonly string[];
  readonly turnSecret?: string | undefined;
  readonly turnCredentialSeconds?: number;
};

/** The setting that is missing although its counterpart is set, and the reason. */
export function missingTurnSetting({
  turnUrls = [],
  turnSecret,
}: IceServerSettings): { readonly setting: 'turnUrls' | 'turnSecret'; readonly message: string } | undefined {
  if (turnUrls.length > 0 === (turnSecret !== undefined)) return undefined;
  const setting = turnSecret === undefined ? 'turnSecret' : 'turnUrls';
  return { setting, message: 'is missing: TURN servers and the secret of their credentials come together' };
}

/**
 * The ICE servers of a peer: the configured ones, and the TURN servers with a user name and password that expire
 * (draft-uberti-behave-turn-rest-00, 2.2).
 *
 * @param now Unix time in milliseconds.
 */
export function iceServersFor(
  peerId: string,
  { iceServers, turnUrls = [], turnSecret, turnCredentialSeconds = 0 }: IceServerSettings,
  now = Date.now(),
): IceServer[] {
  if (turnSecret === undefined) return [...iceServers];
  // The peer's id is for the TURN server's log. It is encoded, since it may contain a colon, or characters that STUN normalizes.
  const username = `${Math.floor(now / 1000) + turnCredentialSeconds}:${encodeURIComponent(peerId)}`;
  const credential = createHmac('sha1', turnSecret).update(username).digest('base64');
  return [...iceServers, { urls: [...turnUrls], username, credential }];
}
