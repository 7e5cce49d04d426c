// A TLS server of openssl, which tells a client whose certificate it refuses why; node's own closes without that alert.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import type { Authority, Certificate } from "./certificates.ts";

/** Takes clients of this authority alone. Its port. */
export async function opensslServer(test: TestContext, own: Certificate, authority: Authority): Promise<number> {
  const words = ["s_server", "-accept", "127.0.0.1:0", "-cert", own.certificateFile, "-key", own.keyFile, "-CAfile", authority.caFile, "-Verify", "2", "-verify_return_error"];
  const child = spawn("openssl", words, { stdio: ["pipe", "pipe", "ignore"] });
  test.after(() => child.kill());
  for await (const line of createInterface({ input: child.stdout })) {
    const port = Number(/^ACCEPT .*:(\d+)$/.exec(line)?.[1] ?? 0);
    if (port > 0) return port;
  }
  throw new Error("openssl s_server ended before it listened");
}
