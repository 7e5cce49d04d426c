// The certificate a client presented over TLS, as a login needs it, and whether the links of its chain hold (spec 1.2, 11.22).

import { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

export interface ClientCertificate {
  /** Base64 of the DER, as credentials have it. */
  readonly body: string;
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** Longest chain that is followed. */
const chainLengthMax = 10;

/** null without TLS, and over TLS when the client presented none. */
export function clientCertificate(socket: Socket): ClientCertificate | null {
  const [leaf] = chainOf(socket);
  if (leaf === undefined) return null;
  return { body: leaf.raw.toString("base64"), validFromMs: Date.parse(leaf.validFrom), validToMs: Date.parse(leaf.validTo) };
}

/** What a chain says about a device: the common name of the leaf, and each certificate as credentials have it, the leaf first. */
export interface CertificateChain {
  readonly commonName: string;
  readonly bodies: readonly string[];
}

/** null where the client presented no certificate. */
export function certificateChain(socket: Socket): CertificateChain | null {
  const chain = chainOf(socket);
  const commonName = /^CN=(.*)$/m.exec(chain[0]?.subject ?? "")?.[1] ?? "";
  return chain.length === 0 ? null : { commonName, bodies: chain.map(({ raw }) => raw.toString("base64")) };
}

/** Whether each certificate was signed with the key of the next. No authority is asked for: one alone always holds. */
export function isChainSound(socket: Socket): boolean {
  const chain = chainOf(socket);
  return chain.every((certificate, i) => {
    const issuer = chain[i + 1];
    return issuer === undefined || certificate.verify(issuer.publicKey);
  });
}

/** The leaf first. Certificates that no name links to the leaf are left out: Node does not show them. */
function chainOf(socket: Socket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  if (!(socket instanceof TLSSocket)) return chain;
  let peer = socket.getPeerCertificate(true);
  // A certificate that signs itself is its own issuer; no certificate at all is an empty object.
  while (peer?.raw !== undefined && chain.length < chainLengthMax) {
    chain.push(new X509Certificate(peer.raw));
    if (peer.issuerCertificate === peer) break;
    peer = peer.issuerCertificate;
  }
  return chain;
}
