// The TLS listener: a client certificate is asked for and not required, and who it belongs to is a matter of the login (spec 1.2).

import { createServer, type Server, type Socket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { isChainSound } from "./clientCertificate.ts";

export interface TlsOptions {
  /** 0 takes any free port; 8883 unless given. */
  readonly port?: number;
  /** The server's certificate, with its chain, as PEM text. */
  readonly certificate: string;
  /** Its key, as PEM text. */
  readonly key: string;
}

/** How long a handshake may take. */
const handshakeTimeoutMs = 10_000;

/** Throws when certificate and key cannot be read or do not belong together. */
export function readTlsIdentity({ certificate, key }: TlsOptions): SecureContext {
  // A client that resumes its TLS session must come back to the same context, or its certificate would be unknown.
  return createSecureContext({ cert: certificate, key, sessionIdContext: "mote" });
}

/** `onTcp` gets each connection as it comes, `onSecure` after its handshake, with the TCP socket beneath it. */
export function createTlsListener(
  secureContext: SecureContext,
  onTcp: (tcp: Socket) => void,
  onSecure: (socket: TLSSocket, tcp: Socket) => void,
): Server {
  return createServer({ allowHalfOpen: true }, (tcp) => {
    onTcp(tcp);
    const socket = new TLSSocket(tcp, { isServer: true, secureContext, requestCert: true, rejectUnauthorized: false });
    const timer = setTimeout(() => tcp.destroy(), handshakeTimeoutMs);
    tcp.once("close", () => clearTimeout(timer));
    socket.on("error", () => tcp.destroy());
    socket.once("secure", () => {
      clearTimeout(timer);
      if (isChainSound(socket)) onSecure(socket, tcp);
      else tcp.destroy();
    });
  });
}
