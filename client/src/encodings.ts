import type { types } from 'mediasoup-client';

/** The video codecs of a room. */
export type VideoCodec = 'VP8' | 'VP9' | 'H264' | 'AV1';

/** Heights of landscape pictures, and the bit rate at which they look good at 30 frames a second. */
const LAYERS = [
  { height: 180, bitrate: 150_000 },
  { height: 360, bitrate: 500_000 },
  { height: 720, bitrate: 1_500_000 },
  { height: 1080, bitrate: 2_500_000 },
] as const;

/**
 * The encodings of a video track from which each receiver gets a size that fits: up to three layers, each half as large as
 * the next. VP8 and H264 use simulcast, one encoding for each layer, low to high; VP9 uses SVC, one encoding with all
 * layers. A small picture has fewer layers, since nobody needs a tenth of it. AV1 has one size and three frame rates: when
 * its size changes, Chromium stops decoding what mediasoup 3.27 forwards. Firefox sends AV1 in one layer, because Chromium
 * does not decode Firefox's temporal layers.
 *
 * @param height the shorter side of the picture in pixels
 * @param handlerName mediasoup-client's name of the browser: `Chrome111`, `Firefox120`
 */
export function layeredEncodings(
  codec: VideoCodec,
  height: number,
  handlerName: string,
): types.RtpEncodingParameters[] {
  const count = height >= 540 ? 3 : height >= 270 ? 2 : 1;
  if (codec === 'AV1') {
    const layers = handlerName.startsWith('Firefox') ? {} : { scalabilityMode: 'L1T3' };
    return [{ ...layers, maxBitrate: bitrateFor(height) }];
  }
  if (codec === 'VP9') {
    return [{ scalabilityMode: count === 1 ? 'L1T3' : `L${count}T3_KEY`, maxBitrate: bitrateFor(height) }];
  }
  return Array.from({ length: count }, (_, index) => {
    const scaleResolutionDownBy = 2 ** (count - 1 - index);
    return {
      rid: `r${index}`,
      scaleResolutionDownBy,
      maxBitrate: bitrateFor(height / scaleResolutionDownBy),
      scalabilityMode: 'L1T3',
    };
  });
}

/** Bits a second, interpolated between the known heights. */
function bitrateFor(height: number): number {
  const above = LAYERS.findIndex((layer) => layer.height >= height);
  if (above === 0) return LAYERS[0].bitrate;
  const high = LAYERS[above];
  const low = LAYERS[above - 1];
  if (!high || !low) return LAYERS[LAYERS.length - 1]?.bitrate ?? LAYERS[0].bitrate;
  const share = (height - low.height) / (high.height - low.height);
  return Math.round(low.bitrate + share * (high.bitrate - low.bitrate));
}
