import { readFile, stat } from 'node:fs/promises';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import { type ConnectionLimit, limitConnections } from './limitConnections.ts';
import type { Logger } from './logger.ts';

/** The default interval between checks of the certificate files. Certificates are renewed weeks before they expire. */
const CERTIFICATE_POLL_MS = 60_000;

/**
 * How long a client may take, in milliseconds. A slower one gets 408 and is disconnected. Requests are small, and a client
 * that sends a byte now and then occupies only its socket until then.
 */
const timeouts = {
  /** From the connection, or the previous answer, to the end of the headers. */
  headersTimeout: 10_000,
  /** To the end of the body. */
  requestTimeout: 30_000,
  /** Between requests: longer than load balancers' idle timeout, usually a minute, so that they close connections first. */
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 2000,
};

/**
 * The most open connections. Each takes some 10 KB, more with TLS, and a file descriptor. A process without descriptors can
 * neither reach the tables nor answer health checks.
 */
const MAX_CONNECTIONS = 10_000;

/**
 * How long pending requests may take once the server stops, ms. Node's own timeouts no longer apply then, and a half-sent
 * request or an upgraded socket would keep the process alive for ever.
 */
const LAST_ANSWERS_MS = 2000;

export type ListenerOptions = {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** PEM files; both or none. Without them the server speaks plain HTTP. */
  readonly tlsCertFile?: string | undefined;
  readonly tlsKeyFile?: string | undefined;
  /** Milliseconds between checks of the certificate files. */
  readonly certificatePollMs?: number;
  readonly timeouts?: Readonly<Partial<typeof timeouts>>;
  /** The most open connections. Further ones are closed at once, and idle ones as well, to make room. */
  readonly maxConnections?: number;
  /** The most connections of one address: never more than half of all, to leave room for others. */
  readonly perAddress?: ConnectionLimit;
  /** Milliseconds that pending requests have when the server stops. */
  readonly lastAnswersMs?: number;
};

/** A listening HTTP or HTTPS server. */
export type Listener = {
  readonly server: Server | HttpsServer;
  readonly secure: boolean;
  /** The port it listens on, also when 0 was configured. */
  readonly port: number;
  /** Stops listening, closes idle connections, waits a limited time for the others and closes them. */
  close(): Promise<void>;
};

/**
 * Starts a server. Its certificate is reloaded when its files change. An invalid one is logged, and the former one stays.
 *
 * @throws Error that names the file or the address at fault.
 */
export async function listen(handler: RequestListener, options: ListenerOptions, logger: Logger): Promise<Listener> {
  const { host, tlsCertFile, tlsKeyFile } = options;
  const tls = tlsCertFile && tlsKeyFile ? { certFile: tlsCertFile, keyFile: tlsKeyFile } : undefined;
  // Read before the files, so that a replacement in between is noticed.
  const loaded = tls && (await stateOf(tls));
  const serverOptions = { ...timeouts, ...options.timeouts };
  const server = tls
    ? createHttpsServer({ ...serverOptions, ...(await readCertificate(tls)) }, handler)
    : createHttpServer(serverOptions, handler);
  server.maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
  if (options.perAddress) {
    const most = Math.min(options.perAddress.most, Math.floor(server.maxConnections / 2));
    limitConnections(server, { ...options.perAddress, most }, logger);
  }
  server.on('drop', () => server.closeIdleConnections());
  const close = closer(server, options.lastAnswersMs);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new Error(`cannot listen on ${host}:${options.port}: ${explain(error)}`, { cause: error })),
    );
    server.listen(options.port, host, resolve);
  });
  const stopWatching = tls
    ? watchCertificate(server as HttpsServer, tls, loaded, options.certificatePollMs, logger)
    : () => {};
  return {
    server,
    secure: tls !== undefined,
    port: (server.address() as AddressInfo).port,
    close: () => {
      stopWatching();
      return close();
    },
  };
}

/**
 * The function that stops a server: it closes idle connections, waits a limited time for the others, and closes them too.
 * They include upgraded ones, which Node's server no longer knows. Call this before the server listens.
 */
export function closer(server: Server | HttpsServer, lastAnswersMs = LAST_ANSWERS_MS): () => Promise<void> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return () =>
    new Promise((resolve) => {
      const cutOff = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, lastAnswersMs);
      server.close(() => {
        clearTimeout(cutOff);
        resolve();
      });
      server.closeIdleConnections();
    });
}

type CertificateFiles = { readonly certFile: string; readonly keyFile: string };

/** @throws Error that names a file that cannot be read or is not valid. */
export async function readCertificate({ certFile, keyFile }: CertificateFiles): Promise<{ cert: Buffer; key: Buffer }> {
  const read = (what: string, file: string) =>
    readFile(file).catch((error: unknown) => {
      throw new Error(`cannot read the TLS ${what} ${file}: ${explain(error)}`, { cause: error });
    });
  const certificate = { cert: await read('certificate', certFile), key: await read('key', keyFile) };
  try {
    createSecureContext(certificate);
  } catch (error) {
    throw new Error(`cannot use the TLS certificate ${certFile} with the key ${keyFile}: ${explain(error)}`, {
      cause: error,
    });
  }
  return certificate;
}

/** A fingerprint of the files; undefined while one of them is missing. */
async function stateOf({ certFile, keyFile }: CertificateFiles): Promise<string | undefined> {
  try {
    const stats = await Promise.all([stat(certFile), stat(keyFile)]);
    return stats.map(({ mtimeMs, ino, size }) => `${mtimeMs}:${ino}:${size}`).join();
  } catch {
    return undefined;
  }
}

function watchCertificate(
  server: HttpsServer,
  files: CertificateFiles,
  loaded: string | undefined,
  pollMs = CERTIFICATE_POLL_MS,
  logger: Logger,
): () => void {
  let seen = loaded;
  const look = async () => {
    const now = await stateOf(files);
    if (now === seen) return;
    seen = now;
    server.setSecureContext(await readCertificate(files));
    logger.info({ certFile: files.certFile }, 'TLS certificate replaced');
  };
  const report = (error: unknown) => logger.error({ err: error }, 'TLS certificate not replaced; the old one stays');
  const timer = setInterval(() => void look().catch(report), pollMs);
  timer.unref();
  return () => clearInterval(timer);
}

function explain(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const known: Record<string, string> = {
    EADDRINUSE: 'the port is in use by another process',
    EADDRNOTAVAIL: 'this machine has no such address',
    EACCES: 'permission denied',
    ENOENT: 'there is no such file',
  };
  return known[code ?? ''] ?? message;
}
