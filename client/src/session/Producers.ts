import type { RequestData, Snapshot } from '@mediasoup-server/proto/signaling';
import type { types } from 'mediasoup-client';
import { layeredEncodings } from '../encodings.ts';
import { RoomError } from '../errors.ts';
import type { LocalTrack } from '../LocalTrack.ts';
import type { MediaTransports, SendRequest } from './MediaTransports.ts';
import { SentLayers } from './SentLayers.ts';
import { withTrackKey } from './trackKey.ts';

/** The producers of one session. */
export class Producers {
  readonly #transports: MediaTransports;
  readonly #request: SendRequest;
  readonly #producers = new Map<LocalTrack, types.Producer>();
  /** Of each requested producer, answered or not. A producer of the daemon with another mid is closed as a leftover. */
  readonly #mids = new Set<string>();
  readonly #sentLayers = new Map<string, SentLayers>();
  /** What is wanted of each producer, which may be known before the answer to `produce` is handled. */
  readonly #layersWanted = new Map<string, number>();

  constructor(transports: MediaTransports, request: SendRequest) {
    this.#transports = transports;
    this.#request = request;
    transports.send.on('produce', ({ kind, rtpParameters, appData: { local } }, done, failed) => {
      const { id: trackId, appData, muted: paused, height } = local as LocalTrack;
      const key = withTrackKey(appData, { trackId, ...(height !== undefined && { height }) });
      if (rtpParameters.mid !== undefined) this.#mids.add(rtpParameters.mid);
      const parameters = rtpParameters as RequestData<'produce'>['rtpParameters'];
      request('produce', { kind, rtpParameters: parameters, appData: key, paused }).then(
        ({ producerId }) => done({ id: producerId }),
        failed,
      );
    });
  }

  /**
   * Creates a producer of a track, muted if the track is. Closes it again if the track was closed meanwhile.
   *
   * @throws {RoomError} if the browser cannot send the track or the daemon refuses it
   */
  async produce(local: LocalTrack): Promise<void> {
    const { device, send } = this.#transports;
    if (!device.canProduce(local.kind)) {
      throw new RoomError('UNSUPPORTED_BROWSER', `This browser and the room have no ${local.kind} codec in common`);
    }
    const { muted, track } = local;
    const producer = await send.produce({
      track,
      // The room publishes the same track again after a loss, so mediasoup-client must neither stop nor disable it.
      stopTracks: false,
      disableTrackOnPause: false,
      zeroRtpOnPause: true,
      ...(local.kind === 'video' ? videoOptions(local, device) : {}),
      codecOptions: { opusFec: true, opusDtx: true, videoGoogleStartBitrate: 1000 },
      appData: { local },
    });
    if (muted) producer.pause();
    this.#producers.set(local, producer);
    this.#sendWantedLayers(producer);
    if (local.closed) return this.close(local);
    if (local.track !== track) await this.replaceTrack(local);
    if (local.muted !== muted) await this.setPaused(local);
  }

  /** Pauses or resumes the producer as its track is muted or not. */
  async setPaused(local: LocalTrack): Promise<void> {
    const producer = this.#producers.get(local);
    if (!producer) return;
    const { id: producerId } = producer;
    if (local.muted) {
      producer.pause();
      await this.#request('pauseProducer', { producerId });
      return;
    }
    producer.resume();
    try {
      await this.#request('resumeProducer', { producerId });
    } catch (error) {
      // A backend has paused it. When the backend allows it again, the track's own mute state is applied.
      if (RoomError.from(error).status !== 403) throw error;
      local.setMutedByServer(true);
    }
  }

  /** Sends the track's present MediaStreamTrack; the daemon need not know. */
  async replaceTrack(local: LocalTrack): Promise<void> {
    await this.#producers.get(local)?.replaceTrack({ track: local.track });
  }

  async close(local: LocalTrack): Promise<void> {
    const producer = this.#producers.get(local);
    if (!producer) return;
    this.#forget(local, producer);
    await this.#request('closeProducer', { producerId: producer.id });
  }

  find(producerId: string): LocalTrack | undefined {
    for (const [local, { id }] of this.#producers) if (id === producerId) return local;
    return undefined;
  }

  /** A backend has paused a producer: until the backend resumes it, or with `mayResume` until its owner does. */
  pausedByServer(producerId: string, mayResume: boolean): void {
    const local = this.find(producerId);
    if (!local) return;
    local.setMutedByServer(!mayResume);
    if (!mayResume) return;
    this.#producers.get(local)?.pause();
    local.muteForServer();
  }

  /** A backend lets the owner decide again: applies the track's own mute state. */
  allowedByServer(producerId: string): void {
    const local = this.find(producerId);
    if (!local) return;
    local.setMutedByServer(false);
    this.#ignoreRefusal(this.setPaused(local));
  }

  /** The highest spatial layer of a producer that any peer wants has changed. */
  layersWanted(producerId: string, spatialLayer: number): void {
    this.#layersWanted.set(producerId, spatialLayer);
    this.#sentLayers.get(producerId)?.want(spatialLayer);
  }

  /** The daemon has closed the producer of a track. */
  drop(local: LocalTrack): void {
    const producer = this.#producers.get(local);
    if (producer) this.#forget(local, producer);
  }

  /** Applies the snapshot of a resumed session. Returns the tracks whose producers the daemon has closed. */
  reconcile({ ownProducers }: Snapshot): LocalTrack[] {
    for (const { producerId, mid } of ownProducers) {
      if (mid === undefined || !this.#mids.has(mid))
        this.#ignoreRefusal(this.#request('closeProducer', { producerId }));
    }
    const there = new Map(ownProducers.map((own) => [own.producerId, own]));
    const gone: LocalTrack[] = [];
    for (const [local, { id }] of this.#producers) {
      const own = there.get(id);
      if (!own) {
        gone.push(local);
        continue;
      }
      if (own.spatialLayerWanted !== undefined) this.layersWanted(id, own.spatialLayerWanted);
      if (!own.paused) local.setMutedByServer(false);
      if (own.paused !== local.muted) this.#ignoreRefusal(this.setPaused(local));
    }
    return gone;
  }

  /** The session is over: stops all timers. */
  stop(): void {
    for (const layers of this.#sentLayers.values()) layers.close();
  }

  #sendWantedLayers({ id, kind, rtpSender }: types.Producer): void {
    if (kind !== 'video' || !rtpSender) return;
    const layers = new SentLayers(rtpSender);
    this.#sentLayers.set(id, layers);
    const wanted = this.#layersWanted.get(id);
    if (wanted !== undefined) layers.want(wanted);
  }

  #forget(local: LocalTrack, producer: types.Producer): void {
    this.#producers.delete(local);
    this.#sentLayers.get(producer.id)?.close();
    this.#sentLayers.delete(producer.id);
    this.#layersWanted.delete(producer.id);
    if (producer.rtpParameters.mid !== undefined) this.#mids.delete(producer.rtpParameters.mid);
    producer.close();
  }

  /** A refusal means that the producer or the session is gone, which other events say. */
  #ignoreRefusal(request: Promise<unknown>): void {
    request.catch(() => {});
  }
}

/** The codec and its encodings. */
function videoOptions(
  { height = 720, codec, simulcast }: LocalTrack,
  device: types.Device,
): Partial<types.ProducerOptions> {
  const capability = device.sendRtpCapabilities.codecs?.find(
    ({ mimeType }) => mimeType.toLowerCase() === `video/${codec.toLowerCase()}`,
  );
  if (!capability) throw new RoomError('UNSUPPORTED_BROWSER', `This browser does not send ${codec}`);
  return { codec: capability, ...(simulcast && { encodings: layeredEncodings(codec, height, device.handlerName) }) };
}
