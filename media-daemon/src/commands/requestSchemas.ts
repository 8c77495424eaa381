import { type Duration, durationMs } from '@bufbuild/protobuf/wkt';
import type { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { idSchema } from '@mediasoup-server/proto/ids';
import { z } from 'zod';

/** The longest time that a command may name, ms: a day. */
const MAX_DURATION_MS = 24 * 3600 * 1000;
/** The most characters of a message's JSON. */
const MAX_DATA_LENGTH = 65_536;
/** The most peers that one message names. */
const MAX_NAMED = 1000;

const text = (max: number) => z.string().max(max, `is longer than ${max} characters`);
const room = { roomId: idSchema };
const peer = { ...room, peerId: idSchema };
const producer = { ...room, producerId: text(128), by: text(200).optional() };
const page = { pageToken: text(200) };
const epoch = z.bigint().max(BigInt(Number.MAX_SAFE_INTEGER), 'is more than 2^53 - 1');
const upToADay = z.custom<Duration>().refine((duration) => {
  const milliseconds = durationMs(duration);
  return milliseconds >= 0 && milliseconds <= MAX_DURATION_MS;
}, 'is negative or more than a day');
const json = text(MAX_DATA_LENGTH).refine((data) => {
  try {
    JSON.parse(data);
    return true;
  } catch {
    return false;
  }
}, 'is not JSON');

/** What the fields of each command may be, beyond their types. */
export const requestSchemas: Record<keyof (typeof MediaDaemon)['method'], z.ZodType> = {
  getInfo: z.object({}),
  createRoom: z.object({ ...room, epoch }),
  getRoom: z.object(room),
  listRooms: z.object(page),
  closeRoom: z.object({ ...room, reason: text(200), movedEpoch: epoch }),
  listPeers: z.object({ ...room, ...page }),
  closePeer: z.object({ ...peer, reason: text(200), refuseFor: upToADay.optional() }),
  pauseProducer: z.object(producer),
  resumeProducer: z.object(producer),
  closeProducer: z.object(producer),
  sendNotification: z.object({
    ...room,
    peerIds: z.array(idSchema).max(MAX_NAMED, `has more than ${MAX_NAMED} entries`),
    from: text(200),
    dataJson: json,
  }),
  getStats: z.object({ ...peer, ...page }),
  drain: z.object({ deadline: upToADay.optional() }),
  watchEvents: z.object({ roomId: z.literal('').or(idSchema), cursor: text(100) }),
};
