import type { types } from 'mediasoup';

const videoCodec = (mimeType: string, parameters: Record<string, unknown> = {}): types.RouterRtpCodecCapability => ({
  kind: 'video',
  mimeType,
  clockRate: 90_000,
  parameters: { 'x-google-start-bitrate': 1000, ...parameters },
});

/**
 * What rooms take and hand on. Opus with in-band FEC and DTX is what the browser asks for when it produces. The order
 * is the order of preference: VP8 first, since every browser encodes it in simulcast.
 */
export const mediaCodecs: types.RouterRtpCodecCapability[] = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 },
  videoCodec('video/VP8'),
  videoCodec('video/VP9', { 'profile-id': 0 }),
  videoCodec('video/H264', { 'packetization-mode': 1, 'profile-level-id': '42e01f', 'level-asymmetry-allowed': 1 }),
  videoCodec('video/AV1'),
];
