/** What a client that sends video produces with. */
export const videoRtpParameters = (mimeType: string, encodings: object[]) => ({
  mid: 'v',
  codecs: [
    {
      mimeType,
      payloadType: 96,
      clockRate: 90_000,
      parameters: mimeType.endsWith('H264') ? { 'packetization-mode': 1, 'profile-level-id': '42e01f' } : {},
      rtcpFeedback: [{ type: 'nack', parameter: 'pli' }],
    },
  ],
  headerExtensions: [
    { uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 1 },
    { uri: 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id', id: 2 },
  ],
  encodings,
  rtcp: { cname: 'video' },
});
