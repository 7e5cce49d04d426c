// Makes an authority and certificates with openssl for one test run.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Certificate {
  readonly certificate: string;
  readonly key: string;
  /** The same as files. */
  readonly certificateFile: string;
  readonly keyFile: string;
  /** With the authority's behind it. */
  readonly chainFile: string;
}

export class Authority {
  readonly folder = mkdtempSync(join(tmpdir(), "mote-certificates-"));
  readonly caFile = join(this.folder, "ca.pem");
  readonly ca: string;

  constructor() {
    this.#openssl("req", "-x509", ...NEW_KEY, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Test authority");
    this.ca = readFileSync(this.caFile, "utf8");
  }

  /** `days` below zero makes a certificate whose time is over. */
  issue(name: string, alternativeNames: string, days = 1): Certificate {
    const file = (ending: string): string => join(this.folder, `${name}.${ending}`);
    writeFileSync(file("ext"), `subjectAltName=${alternativeNames}\n`);
    this.#openssl("req", "-new", ...NEW_KEY, "-keyout", file("key"), "-out", file("csr"), "-subj", `/CN=${name}`);
    this.#openssl("x509", "-req", "-in", file("csr"), "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
      "-days", String(days), "-extfile", file("ext"), "-out", file("pem"));
    const certificate = readFileSync(file("pem"), "utf8");
    writeFileSync(file("chain.pem"), certificate + this.ca);
    return { certificate, key: readFileSync(file("key"), "utf8"), certificateFile: file("pem"), keyFile: file("key"), chainFile: file("chain.pem") };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  #openssl(...words: string[]): void {
    execFileSync("openssl", words, { cwd: this.folder, stdio: "pipe" });
  }
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
