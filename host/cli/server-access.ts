// How `mote server` lets devices in beside the demo token: TLS, and a profile by which devices provision themselves.

import { readFileSync } from "node:fs";
import type { ProfileOptions } from "../server/profiles.ts";
import { readTlsIdentity, type TlsOptions } from "../server/tlsListener.ts";
import { CommandError, ExitCode } from "./exit.ts";

export interface AccessOptions {
  readonly tlsPort?: number;
  readonly tlsCertificate?: string;
  readonly tlsKey?: string;
  readonly provisionKey?: string;
  readonly provisionSecret?: string;
}

const TLS_PORT = 8883;

/** Certificate and key are looked at here, so that a mistake is the user's to mend before anything listens. */
export function readTls({ tlsPort, tlsCertificate, tlsKey }: AccessOptions): TlsOptions | undefined {
  if (tlsCertificate === undefined && tlsKey === undefined) {
    if (tlsPort !== undefined) throw new CommandError(ExitCode.Usage, "--tls-port needs --tls-certificate and --tls-key");
    return undefined;
  }
  if (tlsCertificate === undefined || tlsKey === undefined) {
    throw new CommandError(ExitCode.Usage, "--tls-certificate and --tls-key belong together");
  }
  const options = { port: tlsPort ?? TLS_PORT, certificate: read(tlsCertificate), key: read(tlsKey) };
  try {
    readTlsIdentity(options);
  } catch (error) {
    throw new CommandError(ExitCode.Usage, `${tlsCertificate} and ${tlsKey}: ${(error as Error).message}`, "both must be PEM, and the key that of the certificate");
  }
  return options;
}

export function readProfiles({ provisionKey, provisionSecret }: AccessOptions): ProfileOptions[] {
  if (provisionKey === undefined && provisionSecret === undefined) return [];
  if (!provisionKey || !provisionSecret) throw new CommandError(ExitCode.Usage, "--provision-key and --provision-secret belong together");
  return [{ name: "provisioned", provisionType: "ALLOW_CREATE_NEW_DEVICES", provisionKey, provisionSecret }];
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new CommandError(ExitCode.Usage, `cannot read ${path}: ${(error as NodeJS.ErrnoException).code}`);
  }
}
