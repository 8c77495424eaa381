import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRecording } from './recording.ts';

test('the recording is two seconds of VP8 that begin with a key frame, and a voice in Opus of 20 ms', async () => {
  const { video, audio } = await readRecording();
  assert.equal(video.length, 60);
  // The lowest bit of a frame's tag is 0 in key frames, whose start code follows (RFC 6386, 9.1).
  const isKeyFrame = (frame: Buffer) => (frame.readUInt8(0) & 1) === 0;
  assert.deepEqual(
    video.map(isKeyFrame),
    video.map((_, index) => index === 0),
  );
  assert.equal(video[0]?.subarray(3, 6).toString('hex'), '9d012a');
  assert.ok(audio.length >= 100);
  // The first five bits of a packet are its configuration; 20 ms of fullband or wideband (RFC 6716, 3.1).
  for (const { payload } of audio) assert.ok([1, 5, 9, 13, 15, 19, 23, 27, 31].includes(payload.readUInt8(0) >> 3));
  const isSilent = ({ level }: { level: number }) => level === 127;
  assert.ok(audio.some(isSilent) && !audio.every(isSilent), 'it speaks, with pauses');
});
