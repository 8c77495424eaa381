/** What both ends of the WebSocket must agree on before any message; free of schemas, so that a browser loads little. */

/** The WebSocket subprotocol. */
export const SUBPROTOCOL = 'protoo';

/** The close code after which a client must not connect again; an `error` notification has said why. */
export const CLOSE_FOR_GOOD = 4000;

/** The close code after which a client connects again ("service restart", RFC 6455 registry). */
export const CLOSE_COME_BACK = 1012;

/** The most that the data of a message to other peers may be: its JSON text, in UTF-8 bytes. Bytes are sent as base64. */
export const MAX_MESSAGE_BYTES = 65_536;
