import assert from 'node:assert/strict';

/** Reads what tcpdump writes of IPv4 over Ethernet. */

const [FILE_HEADER, RECORD_HEADER, ETHERNET_HEADER, UDP_HEADER] = [24, 16, 14, 8];
/** The magic number of a little-endian file, and the link type of Ethernet. */
const [MAGIC, ETHERNET] = [0xa1b2c3d4, 1];
/** "More fragments follow", and the fragment's offset (RFC 791, 3.1). */
const FRAGMENT = 0x3fff;

/** Stands for the UDP of a fragment, which has only a part of it. */
const NO_UDP = Buffer.alloc(UDP_HEADER);

/** An IP packet with UDP in it. */
export type Captured = {
  /** Of the whole IP packet, bytes. */
  readonly length: number;
  readonly isFragment: boolean;
  readonly port: number;
  /** The length in the UDP header, bytes. */
  readonly udpLength: number;
  readonly payload: Buffer;
};

export function* readCapture(file: Buffer): Generator<Captured> {
  assert.deepEqual([file.readUInt32LE(0), file.readUInt32LE(20)], [MAGIC, ETHERNET]);
  for (let at = FILE_HEADER; at < file.length; ) {
    const [stored, original] = [file.readUInt32LE(at + 8), file.readUInt32LE(at + 12)];
    assert.equal(stored, original, 'the packet was captured in full');
    const ip = file.subarray(at + RECORD_HEADER + ETHERNET_HEADER, at + RECORD_HEADER + stored);
    const isFragment = (ip.readUInt16BE(6) & FRAGMENT) !== 0;
    const udp = isFragment ? NO_UDP : ip.subarray(4 * (ip.readUInt8(0) & 0x0f));
    yield {
      length: ip.length,
      isFragment,
      port: udp.readUInt16BE(2),
      udpLength: udp.readUInt16BE(4),
      payload: udp.subarray(UDP_HEADER),
    };
    at += RECORD_HEADER + stored;
  }
}
