/** The WebSocket messages between a frontend and its media daemon. */

export { commonErrors, type ErrorCode, errorCodes } from './signaling/errors.ts';
export type { Snapshot, TransportOptions } from './signaling/media.ts';
export { type Notification, type NotificationData, notifications } from './signaling/notifications.ts';
export { CLOSE_COME_BACK, CLOSE_FOR_GOOD, MAX_MESSAGE_BYTES, SUBPROTOCOL } from './signaling/protoo.ts';
export { type Method, type RequestData, type ResponseData, requests } from './signaling/requests.ts';
