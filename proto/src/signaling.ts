/** The WebSocket messages between a frontend and its media daemon. */

export { commonErrors, type ErrorCode, errorCodes } from './signaling/errors.ts';
export type { Snapshot, TransportOptions } from './signaling/media.ts';
export { type Notification, type NotificationData, notifications } from './signaling/notifications.ts';
export { type Method, type RequestData, type ResponseData, requests } from './signaling/requests.ts';

/** The WebSocket subprotocol. */
export const SUBPROTOCOL = 'protoo';

/** The close code after which a client must not connect again; an `error` notification has said why. */
export const CLOSE_FOR_GOOD = 4000;

/** The close code after which a client connects again ("service restart", RFC 6455 registry). */
export const CLOSE_COME_BACK = 1012;
