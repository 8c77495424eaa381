/** The error codes of requests and `error` notifications, as in HTTP. */
export const errorCodes = {
  400: 'What was sent is not what the schema says; the reason names the field.',
  401: 'The token is not valid.',
  403: 'Not granted to this peer, or not the ids of this connection.',
  404: "There is no such method or thing, or it is another peer's.",
  408: 'No `joinRoom` came in time.',
  409: 'Not possible in this state: not joined yet, joined already, an SSRC, MID or SCTP stream in use, left, replaced.',
  422: 'It cannot be received, or the codec cannot be forwarded so.',
  429: 'Over a limit, which the reason names.',
  500: 'Something is wrong in the server; its log says what.',
  503: 'Not now: full, draining, no media worker, or the connection is being closed.',
} as const;
export type ErrorCode = keyof typeof errorCodes;

/** The errors that every request can have, besides its own. */
export const commonErrors: Partial<Record<ErrorCode, string>> = {
  400: 'The data is not what the schema says, or what mediasoup takes; the reason names the field.',
  409: 'The peer has not joined, or has just left.',
  429: 'The client sends more messages than it may.',
  500: 'Something is wrong in the server.',
  503: 'The connection is being closed, or the media worker has just died.',
};
