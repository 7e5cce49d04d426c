// What the command says to a user who asks or errs.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Command, mote, PATIENCE_MS } from "./harness.ts";

const folder = mkdtempSync(join(tmpdir(), "mote-cli-"));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string | Buffer): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

test("--help lists the commands, and each its options", async (t) => {
  const { code, stdout } = await mote(t, "--help");
  assert.equal(code, 0);
  assert.match(stdout, /server/);
  assert.match(stdout, /device/);
  const server = await mote(t, "server", "--help");
  assert.equal(server.code, 0);
  for (const option of ["--port", "--rest-port", "--host", "--token", "--tls-certificate", "--tls-key", "--tls-port", "--provision-key", "--provision-secret", "--gateway", "--limit", "--server-version"]) {
    assert.ok(server.stdout.includes(option), option);
  }
  const device = await mote(t, "device", "--help");
  assert.equal(device.code, 0);
  for (const option of ["--config", "--engine", "--host", "--port", "--interval", "--retry", "--json"]) assert.ok(device.stdout.includes(option), option);
});

const mistakes: [name: string, words: string[], said: RegExp][] = [
  ["no command", [], /Usage: mote/],
  ["an unknown command", ["devcie"], /unknown command 'devcie'[^]*Did you mean device/],
  ["an unknown option", ["server", "--prot", "1"], /unknown option '--prot'[^]*Did you mean --port/],
  ["a missing option", ["device"], /--config <file>' not specified/],
  ["an unknown engine", ["device", "--config", "x", "--engine", "v9"], /Allowed choices are wasm3, aot, v8/],
  ["a port that is none", ["server", "--port", "70000"], /whole number from 0 to 65535/],
  ["a limit of no level", ["server", "--limit", "devices.messages=1:1"], /LEVEL\.CLASS=COUNT:SECONDS with LEVEL tenant, device/],
  ["a limit that is no rate", ["server", "--limit", "device.messages=20"], /device\.messages" must be like "20:1,600:60"/],
  ["a certificate without its key", ["server", "--tls-certificate", "x"], /--tls-certificate and --tls-key belong together/],
  ["a certificate that is not there", ["server", "--tls-certificate", join(folder, "absent.pem"), "--tls-key", "x"], /cannot read .*absent\.pem: ENOENT/],
  ["a certificate that is none", ["server", "--tls-certificate", file("none.pem", "x"), "--tls-key", file("none.key", "x")], /none\.pem and .*none\.key: .*PEM/],
  ["a provision key without its secret", ["server", "--provision-key", "x"], /--provision-key and --provision-secret belong together/],
  ["a server version that is none", ["server", "--server-version", "latest"], /server version is like "4\.2\.1"/],
  ["an empty token", ["server", "--token", ""], /'--token <token>' argument '' is invalid\. a token is not empty/],
  ["a limit without a rate", ["server", "--limit", "device.messages="], /LEVEL\.CLASS=COUNT:SECONDS/],
  ["a port of TLS without a certificate", ["server", "--tls-port", "0"], /--tls-port needs --tls-certificate and --tls-key/],
  ["a missing file", ["device", "--config", join(folder, "absent.json")], /cannot read .*absent\.json: ENOENT/],
  ["a folder in place of a file", ["device", "--config", folder], /cannot read .*: EISDIR/],
  ["a file below a file", ["device", "--config", join(file("good.json", '{"mqtt_host":"h"}'), "x")], /cannot read .*good\.json.x: ENOTDIR/],
  ["a name that is too long", ["device", "--config", "x".repeat(300)], /cannot read x+: ENAMETOOLONG/],
  ["an app that is not there", ["device", "--config", file("good.json", '{"mqtt_host":"h"}'), "--app", join(folder, "absent.wasm")], /cannot read .*absent\.wasm: ENOENT/],
  ["an app that is none", ["device", "--config", file("good.json", '{"mqtt_host":"h"}'), "--app", file("none.wasm", "x")], /none\.wasm: app: bytes that the format does not allow\n.*app\/ABI\.md/],
  ["a place where nothing can be written", ["build", "assembly/apps/telemetry.ts", "--out", folder], /cannot write .*: EISDIR/],
];

for (const [name, words, said] of mistakes) {
  test(`${name} is explained, exit code 2`, async (t) => {
    const { code, stderr, stdout } = await mote(t, ...words);
    assert.match(stderr, said);
    assert.equal(stdout, "");
    assert.equal(code, 2);
  });
}

test("an address that is none of this machine is explained, exit code 1", async (t) => {
  for (const host of ["192.0.2.1", "mote.invalid"]) {
    const { code, stderr } = await mote(t, "server", "--port", "0", "--rest-port", "0", "--host", host);
    assert.match(stderr, /^mote: [^\n]*(EADDRNOTAVAIL|ENOTFOUND|EAI_AGAIN)[^\n]*\n[^\n]*--host[^\n]*\n$/);
    assert.equal(code, 1);
  }
});

for (const words of [["--help"], ["device", "--help"]]) {
  test(`a reader of "mote ${words.join(" ")}" that has gone away is no failure`, async (t) => {
    const command = new Command(t, words);
    command.child.stdout!.destroy();
    const { code, stderr } = await command.ended;
    assert.equal(stderr, "");
    assert.equal(code, 0);
  });
}

const good = file("good.json", '{"mqtt_host":"127.0.0.1","mqtt_port":1}');
const native: [name: string, words: string[], said: RegExp][] = [
  ["no configuration", [], /--config is missing/],
  ["a configuration that is not there", ["--config", join(folder, "absent.json")], /cannot read, or larger than 16 KiB: .*absent\.json/],
  ["a configuration that is too large", ["--config", file("large.json", `{"mqtt_host":"h"${" ".repeat(20_000)}}`)], /cannot read, or larger than 16 KiB: .*large\.json/],
  ["an option without its value", ["--config", good, "--port"], /no value behind it: --port/],
  ["an interval that is no number", ["--config", good, "--interval", "1s"], /--interval takes milliseconds, 1 to 86400000: 1s/],
  ["no interval at all", ["--config", good, "--interval", "0"], /--interval takes milliseconds, 1 to 86400000: 0/],
  ["a port that is no number", ["--config", good, "--port", "http"], /--port takes 1 to 65535: http/],
  ["a port that is none", ["--config", good, "--port", "65536"], /--port takes 1 to 65535: 65536/],
  ["a host that would end its text", ["--config", good, "--host", 'h","qos":"'], /--host takes a name or an address: h","qos":"/],
];

const PROGRAM = fileURLToPath(new URL("../../build/c/mote-device-aot", import.meta.url));

for (const [name, words, said] of native) {
  test(`the C program: ${name} is explained, exit code 2`, { skip: !existsSync(PROGRAM) && "not built" }, () => {
    const { status, stderr } = spawnSync(PROGRAM, words, { encoding: "utf8", timeout: PATIENCE_MS });
    assert.match(stderr, said);
    assert.equal(status, 2);
  });
}

for (const interval of ["0", '"1000"', "-5", "86400001"]) {
  test(`the C program: "interval_ms":${interval} is refused by name`, { skip: !existsSync(PROGRAM) && "not built" }, () => {
    const words = ["--json", "--config", file("interval.json", `{"mqtt_host":"127.0.0.1","host":{"interval_ms":${interval}}}`)];
    const { status, stdout } = spawnSync(PROGRAM, words, { encoding: "utf8", timeout: PATIENCE_MS });
    assert.deepEqual(JSON.parse(stdout), { event: "Error", status: "InvalidValue", text: "host.interval_ms" });
    assert.equal(status, 2);
  });
}

const configurations: [name: string, text: string | Buffer, said: RegExp][] = [
  ["not JSON, by line", '{\n"mqtt_host":"h",\n"password":"hunter2",\n}', /not JSON at line 4/],
  ["bytes that are no UTF-8", Buffer.from('{"mqtt_host":"caf\xe9"}', "latin1"), /not UTF-8/],
  ["an unknown key", '{"mqtt_host":"h","mqtt_hots":"i"}', /mqtt_hots/],
  ["a key that stands twice", '{"mqtt_host":"h","mqtt_port":1,"mqtt_host":"i"}', /outside the range that is allowed \(mqtt_host stands twice\)/],
  ["a byte order mark", '\ufeff{"mqtt_host":"h"}', /not JSON: it begins with a byte order mark/],
  ["an interval of nothing", '{"mqtt_host":"h","host":{"interval_ms":0}}', /outside the range that is allowed \(host\.interval_ms\)/],
  ["a store that is no text", '{"mqtt_host":"h","host":{"store_directory":5}}', /another JSON type.*store_directory/],
  ["a store that is a file", '{"mqtt_host":"h","host":{"store_directory":"good.json"}}', /cannot use .*good\.json: EEXIST\n.*store_directory is a folder/],
  ["another type", '{"mqtt_host":"h","qos":"1"}', /another JSON type.*qos/],
  ["a missing key", "{}", /absent.*mqtt_host/],
];

for (const engine of ["wasm3", "aot"]) {
  test(`what the C program of ${engine} refuses is told in words, exit code 2`, { skip: !existsSync(PROGRAM) && "not built" }, async (t) => {
    const { code, stderr } = await mote(t, "device", "--engine", engine, "--config", file("unknown.json", '{"mqtt_host":"h","mqtt_hots":"i"}'));
    assert.equal(stderr, "mote: UnknownKey: mqtt_hots (a configuration key that no profile has)\n");
    assert.equal(code, 2);
    const absent = await mote(t, "device", "--engine", engine, "--config", good, "--app", join(folder, "absent.wasm"));
    assert.match(absent.stderr, /^mote: cannot read .*absent\.wasm: ENOENT\n$/);
    assert.equal(absent.code, 2);
  });
}

for (const [name, text, said] of configurations) {
  test(`a configuration with ${name} is explained, exit code 2`, async (t) => {
    const { code, stderr } = await mote(t, "device", "--config", file(`${name.replaceAll(/\W/g, "-")}.json`, text));
    assert.match(stderr, said);
    assert.doesNotMatch(stderr, /hunter2|\n {4}at /);
    assert.equal(code, 2);
  });
}

test("the demo device on v8 keeps what it keeps where the configuration says, as the C programs do", async (t) => {
  const { code } = await mote(t, "device", "--config", file("kept.json", '{"mqtt_host":"127.0.0.1","mqtt_port":1,"host":{"store_directory":"kept"}}'));
  assert.equal(code, 3);
  assert.ok(existsSync(join(folder, "kept", "journal.flash")));
});
