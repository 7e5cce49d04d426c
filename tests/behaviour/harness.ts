// What every behaviour test begins with: each engine in turn, a server that may go and come back, and a client of it.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { profileModule } from "../../host/node/instance.ts";
import { ClientModule } from "../../host/node/module.ts";
import { portsOf } from "../../host/node/ports/default.ts";
import { demoDevice, startServer, type LocalServer, type ServerOptions } from "../../host/server/server.ts";
import { plainValue } from "../../host/server/values.ts";
import type { Device } from "../../host/server/device.ts";
import { Driver, ENGINES, profileOn, type Engine, type Profile } from "./driver.ts";
import { PATIENCE_MS, Watch } from "./watch.ts";

/** Waiting for a timer of one test leaves the processor to the others. */
const AT_ONCE = 6;

type Body = (test: TestContext, engine: Engine) => Promise<void>;
/** In front of what is declared may stand the bits of `Feature` that it needs. */
type Needing<What> = [what: What] | [needs: number, what: What];
type Check = (name: string, ...body: Needing<Body>) => void;

const FEATURES_OF_MINIMAL = new ClientModule(profileModule("minimal"), portsOf(undefined, {})).features();

function apart<What>(declared: Needing<What>): [needs: number, what: What] {
  return declared.length === 1 ? [0, declared[0]] : declared;
}

/** A group of tests, each run on every engine, and with the least profile when it needs nothing that this lacks. */
export function behaviour(group: string, ...declared: Needing<(check: Check) => void>): void {
  const [ofAll, declare] = apart(declared);
  describe(group, { concurrency: AT_ONCE }, () => declare((name, ...checked) => {
    const [needs, body] = apart(checked);
    const isLacking = ((ofAll | needs) & ~FEATURES_OF_MINIMAL) !== 0;
    const least = ENGINES.map((engine) => `minimal on ${engine}` as const);
    for (const engine of isLacking ? ENGINES : [...ENGINES, ...least]) {
      test(`${engine}: ${name}`, { timeout: 3 * PATIENCE_MS }, (t) => body(t, engine));
    }
  }));
}

/** Suites that run at the same time have other ports to choose from, and in one no port is handed out twice: the server of a test may not listen yet. */
const PORTS = 200;
const FIRST_PORT = 12_000 + (process.pid % 100) * PORTS;
const handedOut = new Set<number>();

/**
 * A port that nobody listens on. It lies below the ports that the system gives to outgoing connections, or a client that
 * knocks there while nobody listens could be connected to itself.
 */
export async function freePort(): Promise<number> {
  for (let offset = 0; offset < PORTS; offset++) {
    const port = FIRST_PORT + offset;
    if (handedOut.has(port)) continue;
    handedOut.add(port);
    const probe = createServer();
    probe.listen(port, "127.0.0.1");
    const isFree = await Promise.race([once(probe, "listening").then(() => true), once(probe, "error").then(() => false)]).catch(() => false);
    if (!isFree) continue;
    probe.close();
    await once(probe, "close");
    return port;
  }
  throw new Error(`this suite has used its ${PORTS} ports`);
}

/** The local server at an address that stays the same, and what all its lives together have stored. */
export class Site {
  server!: LocalServer;
  /** Telemetry as the devices sent it, by key. */
  readonly telemetry = new Map<string, unknown>();
  /** When clients were connected, in ms. */
  readonly connectsMs: { clientId: string; atMs: number }[] = [];
  /** How often each key came. */
  readonly counts = new Map<string, number>();
  readonly #watch = new Watch();

  private constructor(readonly port: number, private readonly options: ServerOptions) {}

  static async open(test: TestContext, options: ServerOptions = {}, port?: number): Promise<Site> {
    const site = new Site(port ?? await freePort(), options);
    await site.start();
    test.after(() => site.stop());
    return site;
  }

  get device(): Device {
    return this.server.devices.byToken(demoDevice.token)!;
  }

  async start(): Promise<void> {
    this.server = await startServer({ mqttPort: this.port, restPort: 0, ...this.options });
    this.server.events.on("*", (event) => {
      if (event.type === "telemetry") {
        this.telemetry.set(event.key, plainValue(event.value));
        this.counts.set(event.key, (this.counts.get(event.key) ?? 0) + 1);
      }
      if (event.type === "connected") this.connectsMs.push({ clientId: event.clientId, atMs: performance.now() });
      this.#watch.changed();
    });
  }

  async stop(): Promise<void> {
    await this.server.close();
  }

  /** Waits until the server was told something. */
  until(what: string, isReached: () => boolean): Promise<true> {
    return this.#watch.until(what, () => isReached() || undefined, () => `telemetry of ${[...this.telemetry.keys()].join(" ") || "no key"}`);
  }

  async stored(...keys: string[]): Promise<void> {
    await this.until(`telemetry ${keys.join(" ")}`, () => keys.every((key) => this.telemetry.has(key)));
  }

  /** Calls the REST face for the device; the status and the body as text. */
  async rest(method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> {
    const response = await fetch(this.server.restUrl + path.replace("{id}", this.device.id), {
      method, signal: AbortSignal.timeout(PATIENCE_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    return { status: response.status, text: await response.text() };
  }
}

/** Quick to come back, so that no test waits for a backoff, and without the question that sessions begin with by default. */
export function configuration(port: number, more: object = {}): string {
  return JSON.stringify({
    mqtt_host: "127.0.0.1", mqtt_port: port, client_id: "device", access_token: demoDevice.token, reconnect_min_ms: 1, reconnect_max_ms: 50, session_limits: false, ...more,
  });
}

/** A folder for what outlives a client; it goes with the test. */
export function folder(test: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "mote-"));
  test.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A client that is built and started. */
export async function started(test: TestContext, engine: Engine, port: number, more: object = {}, profile: Profile = profileOn(engine)): Promise<Driver> {
  const driver = new Driver(test, engine, profile);
  // Keys that turn off what the least profile does not have say nothing to it.
  await driver.run("init", configuration(port, { ...(profile === "minimal" && { ignore_missing_features: true }), ...more }));
  await driver.run("start");
  return driver;
}

/** A client whose subscriptions the local server has. */
export async function online(test: TestContext, engine: Engine, more: object = {}, options: ServerOptions = {}): Promise<{ site: Site; driver: Driver }> {
  const site = await Site.open(test, options);
  const driver = await started(test, engine, site.port, more);
  await driver.event("Connected");
  await subscribed(driver);
  return { site, driver };
}

/** What a device subscribes to by itself. */
export function ownFilters({ profile }: Driver): string[] {
  return [...(profile === "minimal" ? [] : ["v1/devices/me/attributes", "v1/devices/me/attributes/response/+"]), "v1/devices/me/rpc/request/+"];
}

/** Those are asserted, in whatever order. */
export async function subscribed(driver: Driver): Promise<void> {
  const filters = ownFilters(driver);
  const topics: string[] = [];
  while (topics.length < filters.length) topics.push((await driver.event("Subscribed")).topic);
  assert.deepEqual(topics.sort(), filters);
}
