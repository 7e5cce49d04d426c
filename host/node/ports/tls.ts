// TLS by node:tls, verified by default, with every cause of failure under its name.

import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { resolve } from "node:path";
import { checkServerIdentity, connect, createSecureContext, type ConnectionOptions, type SecureContext } from "node:tls";
import { Status } from "../../../build/generated/abi.ts";
import { faultOfText } from "../check.ts";
import { ConfigurationError } from "../errors.ts";
import { ADDRESS_ATTEMPT_MS, socketStatus, type Dial } from "./net.ts";

/** The `tls` object of the configuration. A text that begins with "-----BEGIN" is PEM, any other the name of a PEM file. */
export interface TlsSettings {
  /** Authorities to trust instead of the system's. */
  ca?: string;
  /** The client's certificate and key, for X.509 credentials. */
  certificate?: string;
  key?: string;
  /** The name to check instead of `mqtt_host`. */
  server_name?: string;
  /** For hosts that may have no time of day at first; here there always is. */
  time_wait_s?: number;
  /** false accepts any certificate; reported as a warning at each start of a client. */
  verify?: boolean;
}

const TIME_WAIT_S_MAX = 4095;

const TYPES: Readonly<Record<keyof TlsSettings, "string" | "number" | "boolean">> = {
  ca: "string", certificate: "string", key: "string", server_name: "string", time_wait_s: "number", verify: "boolean",
};

/** Checks the settings and reads the files, so that a mistake shows before the first connection. */
export function tlsDial(settings: TlsSettings, baseDirectory: string): Dial {
  for (const [key, value] of Object.entries(settings) as [keyof TlsSettings, unknown][]) {
    const status = faultOf(TYPES[key], value);
    if (status !== Status.Ok) throw new ConfigurationError(status, "configuration", { text: `tls.${key}` });
  }
  const fixed: ConnectionOptions = { secureContext: contextOf(settings, baseDirectory), rejectUnauthorized: settings.verify ?? true };
  return (host, port) => {
    const name = settings.server_name ?? host;
    const options: ConnectionOptions & { noDelay: boolean } = {
      ...fixed, host, port, noDelay: true,
      // An address is no name that SNI can carry [RFC 6066]; without one Node would check the host's.
      ...(isIP(name) === 0 ? { servername: name } : {}),
      checkServerIdentity: (_name, certificate) => checkServerIdentity(name, certificate),
      ...(isIP(host) === 0 ? { autoSelectFamily: true, autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS } : {}),
    };
    return { socket: connect(options), openEvent: "secureConnect", statusOf: tlsStatus };
  };
}

function faultOf(type: string | undefined, value: unknown): number {
  if (type === undefined) return Status.UnknownKey;
  if (typeof value !== type) return Status.WrongType;
  if (typeof value === "string") return faultOfText(value);
  const isTime = typeof value !== "number" || (Number.isInteger(value) && value >= 0 && value <= TIME_WAIT_S_MAX);
  return isTime ? Status.Ok : Status.InvalidValue;
}

function contextOf(settings: TlsSettings, baseDirectory: string): SecureContext {
  const refuse = (key: string, why: string, cause?: unknown, status: number = Status.InvalidValue): never => {
    throw new ConfigurationError(status, "configuration", { text: why === "" ? `tls.${key}` : `tls.${key}: ${why}`, cause });
  };
  /** The PEM, once `parse` has made something of it. */
  const pem = (key: "ca" | "certificate" | "key", parse: (text: string) => unknown): string | undefined => {
    const value = settings[key];
    if (value === undefined) return undefined;
    let text = value;
    try {
      if (!value.startsWith("-----BEGIN")) text = readFileSync(resolve(baseDirectory, value), "utf8");
    } catch (cause) {
      refuse(key, `cannot read ${value}`, cause);
    }
    try {
      parse(text);
    } catch (cause) {
      refuse(key, "not PEM of what it should be", cause);
    }
    return text;
  };
  const ca = pem("ca", (text) => new X509Certificate(text));
  const cert = pem("certificate", (text) => new X509Certificate(text));
  const key = pem("key", (text) => createPrivateKey(text));
  if ((cert === undefined) !== (key === undefined)) refuse(cert === undefined ? "certificate" : "key", "", undefined, Status.MissingKey);
  if (cert !== undefined && !new X509Certificate(cert).checkPrivateKey(createPrivateKey(key!))) refuse("key", "of another certificate");
  try {
    return createSecureContext({ ca, cert, key, minVersion: "TLSv1.2" });
  } catch (cause) {
    return refuse("certificate", "cannot be used", cause);
  }
}

const VERIFY_STATUSES: Readonly<Record<string, number>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: Status.TlsNameMismatch,
  HOSTNAME_MISMATCH: Status.TlsNameMismatch,
  CERT_HAS_EXPIRED: Status.TlsExpired,
  CERT_NOT_YET_VALID: Status.TlsExpired,
  CRL_HAS_EXPIRED: Status.TlsExpired,
  CRL_NOT_YET_VALID: Status.TlsExpired,
};

/** OpenSSL's verdicts on a chain, as Node passes them on [X509_verify_cert_error]. */
const UNTRUSTED = /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|ERROR_IN_CERT_)/;

/** Alerts by which a server turns the client's certificate down or asks for one. */
const CLIENT_CERTIFICATE = /ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_|UNKNOWN_CA|ACCESS_DENIED)/;

export function tlsStatus(error: Error, isOpen: boolean): number {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const verdict = VERIFY_STATUSES[code] ?? (UNTRUSTED.test(code) ? Status.TlsUntrusted : 0);
  if (verdict !== 0) return verdict;
  if (CLIENT_CERTIFICATE.test(code)) return Status.TlsClientCertificateRefused;
  if (code.startsWith("ERR_SSL_") || code.startsWith("ERR_TLS_") || code === "EPROTO") return Status.TlsHandshakeFailed;
  // Node's own "disconnected before secure TLS connection was established" has the code of a reset.
  if (code === "ECONNRESET" && !isOpen) return Status.TlsHandshakeFailed;
  return socketStatus(error);
}
