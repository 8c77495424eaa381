/** What a client that sends Opus produces with; each call has an SSRC of its own. */
let ssrc = 1_000;
export const opusRtpParameters = () => ({
  mid: '0',
  codecs: [
    {
      mimeType: 'audio/opus',
      payloadType: 111,
      clockRate: 48_000,
      channels: 2,
      parameters: { useinbandfec: 1 },
      rtcpFeedback: [],
    },
  ],
  headerExtensions: [],
  encodings: [{ ssrc: ++ssrc }],
  rtcp: { cname: `test-${ssrc}` },
});
