export type OpenTrack = { isOpen(): boolean; sendMessageBinary(packet: Buffer): boolean };

/**
 * Sends a packet on a track while it is open. libdatachannel closes a track on a thread of its own, so that one that has
 * just been open may refuse the packet.
 *
 * @throws Error of libdatachannel when an open track refuses the packet.
 */
export function sendOnTrack(track: OpenTrack, packet: Buffer): void {
  if (!track.isOpen()) return;
  try {
    track.sendMessageBinary(packet);
  } catch (error) {
    if (track.isOpen()) throw error;
  }
}
