import type { TestContext } from 'node:test';
import { type JoinOptions, type RemoteTrack, Room } from '@mediasoup-server/client';
import wrtc from '@roamhq/wrtc';
import { Chrome111 } from 'mediasoup-client/handlers/Chrome111';

const { MediaStream, nonstandard, RTCPeerConnection } = wrtc;
/** Ten milliseconds of sound. */
const SAMPLES = 480;
const PICTURE = { width: 320, height: 180 };

/** A peer without a browser: the SDK in Node, on libwebrtc. */
export class Bot {
  readonly room: Room;
  /** Received frames or pieces of sound, by the track's id. */
  readonly received = new Map<string, number>();
  readonly #t: TestContext;
  readonly #counted = new WeakSet<MediaStreamTrack>();

  static async join(t: TestContext, options: JoinOptions, stateChanged: (room: Room) => void = () => {}): Promise<Bot> {
    // mediasoup-client's handler for Chromium uses these globals.
    Object.assign(globalThis, { MediaStream, RTCPeerConnection });
    const bot = new Bot(t, new Room({ ...options, handlerFactory: Chrome111.createFactory({}) }));
    bot.room.on('stateChanged', () => stateChanged(bot.room));
    await bot.room.join();
    return bot;
  }

  private constructor(t: TestContext, room: Room) {
    this.#t = t;
    this.room = room;
    t.after(() => room.leave());
    room.on('trackSubscribed', (track) => this.#count(track));
    // After a move the track has another MediaStreamTrack.
    room.on('remoteTrackChanged', (track) => this.#count(track));
  }

  /** Publishes a tone and a grey picture. */
  async publish(): Promise<void> {
    const sound = new nonstandard.RTCAudioSource();
    const picture = new nonstandard.RTCVideoSource();
    const samples = Int16Array.from({ length: SAMPLES }, (_, index) => Math.sin(index / 10) * 10_000);
    const data = new Uint8Array(PICTURE.width * PICTURE.height * 1.5).fill(128);
    const timers = [
      setInterval(() => sound.onData({ samples, sampleRate: 48_000, channelCount: 1, numberOfFrames: SAMPLES }), 10),
      setInterval(() => picture.onFrame({ ...PICTURE, data }), 50),
    ];
    this.#t.after(() => timers.forEach(clearInterval));
    await this.room.publish(sound.createTrack(), { source: 'microphone' });
    await this.room.publish(picture.createTrack(), { source: 'camera' });
  }

  #count({ id, kind, track }: RemoteTrack): void {
    if (!track || this.#counted.has(track)) return;
    this.#counted.add(track);
    const came = (): void => {
      this.received.set(id, (this.received.get(id) ?? 0) + 1);
    };
    const sink = kind === 'audio' ? new nonstandard.RTCAudioSink(track) : new nonstandard.RTCVideoSink(track);
    if (sink instanceof nonstandard.RTCAudioSink) sink.ondata = came;
    else sink.onframe = came;
    this.#t.after(() => sink.stop());
  }
}
