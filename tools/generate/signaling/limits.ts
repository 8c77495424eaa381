import { PREFIX, settingsSchema } from '@mediasoup-server/media-daemon/config';
import { settingTypes, variableName } from '@mediasoup-server/server-kit/settings';

const types = settingTypes(settingsSchema);
type Setting = keyof typeof types;

/** What a client sees of each setting of the daemon that bounds it, and where an operator sees it counted. */
const limits: Partial<Record<Setting, { readonly beyond: string; readonly counted?: string }>> = {
  joinTimeoutMs: { beyond: '`error` 408, close 4000' },
  pingIntervalMs: { beyond: 'the connection is cut', counted: 'pong' },
  resumeGraceMs: { beyond: 'the peer has left' },
  maxFrameBytes: { beyond: 'close 1009, and the peer has left', counted: 'frameBytes' },
  messagesPerSecond: { beyond: '429', counted: 'messageRate' },
  messageBurst: { beyond: '429; as many refused in a row, and the socket is read slowly', counted: 'messageRate' },
  announcementsPerSecond: {
    beyond: '429 to `joinRoom`, `produce`, `produceData`, `resumeProducer`, `updateAppData`',
    counted: 'announcementRate',
  },
  announcementBurst: { beyond: '429, as above', counted: 'announcementRate' },
  roomUpdatesPerSecond: { beyond: '`updateAppData`: 429', counted: 'roomUpdateRate' },
  roomUpdateBurst: { beyond: '`updateAppData`: 429', counted: 'roomUpdateRate' },
  messageBytesPerSecond: { beyond: '`sendMessage`: 429', counted: 'messageBytes' },
  messageBytesBurst: { beyond: '`sendMessage`: 429', counted: 'messageBytes' },
  maxBufferedBytes: { beyond: 'the connection is cut; it may be resumed', counted: 'bufferedBytes' },
  maxIpConnections: { beyond: 'the connection is closed before a request is read', counted: 'ipConnections' },
  maxIpSockets: { beyond: 'the upgrade is refused with 429', counted: 'ipSockets' },
  ipSocketsPerSecond: { beyond: 'the upgrade is refused with 429', counted: 'ipSocketRate' },
  ipSocketBurst: { beyond: 'the upgrade is refused with 429', counted: 'ipSocketRate' },
  maxPeers: { beyond: 'the upgrade is refused with 503', counted: 'peers' },
  maxRoomPeers: { beyond: '`joinRoom`: 503', counted: 'roomPeers' },
  maxPeerProducers: { beyond: '`produce`: 429', counted: 'peerProducers' },
  maxPeerConsumers: { beyond: '`consume`: 429', counted: 'peerConsumers' },
  maxPeerDataProducers: { beyond: '`produceData`: 429', counted: 'peerDataProducers' },
  maxPeerDataConsumers: { beyond: '`consumeData`: 429', counted: 'peerDataConsumers' },
  maxPeerIncomingBitrate: { beyond: 'browsers are asked to send less' },
};

/** A row for each limit: what it is, its default, its setting, what a client sees beyond it, its label in the metrics. */
export function limitsTable(): string {
  const rows = Object.entries(limits).map(([setting, { beyond, counted }]) => {
    const type = types[setting as Setting];
    const name = variableName(PREFIX, setting);
    const { description = '' } = type.meta() ?? {};
    return `| ${description} | \`${String(defaultOf(setting as Setting))}\` | \`${name}\` | ${beyond} | ${counted ? `\`${counted}\`` : ''} |`;
  });
  return ['| limit | default | setting | beyond it | counted as |', '|---|---|---|---|---|', ...rows].join('\n');
}

/** What a setting is when nobody sets it. */
export const defaultOf = (setting: Setting): unknown => types[setting].parse(undefined);
