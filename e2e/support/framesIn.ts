import type { Socket } from 'node:net';

const LENGTH_BYTES = 2;

/** Calls `take` with each packet that comes over ICE-TCP, which has its length before it (RFC 4571). */
export function framesIn(socket: Socket, take: (packet: Buffer) => void): void {
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= LENGTH_BYTES && rest.length >= LENGTH_BYTES + rest.readUInt16BE(0)) {
      const end = LENGTH_BYTES + rest.readUInt16BE(0);
      take(rest.subarray(LENGTH_BYTES, end));
      rest = rest.subarray(end);
    }
  });
}
