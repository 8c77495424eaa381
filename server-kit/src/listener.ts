import { readFile, stat } from 'node:fs/promises';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import { type ConnectionLimit, limitConnections } from './limitConnections.ts';
import type { Logger } from './logger.ts';

/** How often the certificate files are looked at. Renewals come weeks before the old one ends, so a minute is soon. */
const CERTIFICATE_POLL_MS = 60_000;

/**
 * How long a client may take, in milliseconds; whoever is slower is answered 408 and cut off. Requests are small, and a
 * client that sends a byte now and then holds nothing but its socket until then.
 */
const timeouts = {
  /** From the connection, or the answer before, to the end of the headers. */
  headersTimeout: 10_000,
  /** To the end of the body. */
  requestTimeout: 30_000,
  /** Between requests: longer than load balancers keep theirs, a minute as a rule, so that they end connections first. */
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 2000,
};

/**
 * How many connections are open at once. Each takes some 10 KB, TLS more, and a descriptor; who has none left can neither
 * reach the tables nor be asked for its health.
 */
const MAX_CONNECTIONS = 10_000;

/**
 * How long requests under way may take to end once the server stops, ms. Node looks for slow clients no more then, and a
 * client that holds half a request, or an upgraded socket, would hold the process for ever.
 */
const LAST_ANSWERS_MS = 2000;

export type ListenerOptions = {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** PEM files; both or none. Without them the server speaks plain HTTP. */
  readonly tlsCertFile?: string | undefined;
  readonly tlsKeyFile?: string | undefined;
  /** Milliseconds between looks at the certificate files. */
  readonly certificatePollMs?: number;
  readonly timeouts?: Readonly<Partial<typeof timeouts>>;
  /** Beyond so many open connections further ones are closed at once, and idle ones too, to make room. */
  readonly maxConnections?: number;
  /** What one address may open; never more than half of all, so that it leaves room for others. */
  readonly perAddress?: ConnectionLimit;
  /** Milliseconds that requests under way have when the server stops. */
  readonly lastAnswersMs?: number;
};

/** An HTTP or HTTPS server that listens. */
export type Listener = {
  readonly server: Server | HttpsServer;
  readonly secure: boolean;
  /** The port that it listens on, also when 0 was asked for. */
  readonly port: number;
  /** Stops listening, ends idle connections, waits a while for the others and cuts them off. */
  close(): Promise<void>;
};

/**
 * Starts a server. Its certificate is read again when its files change; one that does not load is reported and the
 * old one stays.
 *
 * @throws Error that names the file or the address at fault.
 */
export async function listen(handler: RequestListener, options: ListenerOptions, logger: Logger): Promise<Listener> {
  const { host, tlsCertFile, tlsKeyFile } = options;
  const tls = tlsCertFile && tlsKeyFile ? { certFile: tlsCertFile, keyFile: tlsKeyFile } : undefined;
  // Taken before the files are read, so that a replacement in between is noticed.
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
 * What stops a server, which does not listen yet: it ends idle connections, waits a while for the others, and cuts them off.
 * Those that were upgraded are among them, which the server itself forgets.
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

/** @throws Error that names the file which cannot be read, or not be used. */
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

/** What changes when the files do; undefined while one of them is not there. */
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
