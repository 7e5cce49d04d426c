// Composes the local server: MQTT doors, broker, device model and REST, started and closed as one.

import { createServer, type AddressInfo, type Socket, type Server } from "node:net";
import { createBroker } from "./broker.ts";
import { type ClaimOptions, Claims } from "./claims.ts";
import { defaultBounds, type Device, type DeviceBounds, type DeviceOptions, DeviceRegistry } from "./device.ts";
import { certificateChain } from "./clientCertificate.ts";
import { Door, type DoorHost } from "./door.ts";
import { ServerEvents } from "./events.ts";
import { Faults } from "./faults.ts";
import { ChildSession, CreationFailures, Gateway, type GatewayContext } from "./gateway.ts";
import { decideLogin, rateRefusal } from "./login.ts";
import { assignPackage, defaultOtaBounds, type OtaBounds, type OtaPackage, OtaPackages, type OtaType } from "./ota.ts";
import { OtaCache } from "./otaChunks.ts";
import { type ProfileOptions, ProfileRegistry } from "./profiles.ts";
import { Provisioner } from "./provisioning.ts";
import { ProvisioningSession } from "./provisioningSession.ts";
import { RateLimiter, type RateLimitOptions } from "./rateLimits.ts";
import { reason } from "./reasons.ts";
import { createRest } from "./rest.ts";
import type { RpcStrategy } from "./rpc.ts";
import { isLoopback } from "./sameSite.ts";
import { defaultServerVersion, ServerVersion } from "./serverVersion.ts";
import { type DeviceSession, type Link, Session } from "./session.ts";
import { storeTelemetry } from "./telemetry.ts";
import { createTlsListener, readTlsIdentity, type TlsOptions } from "./tlsListener.ts";
import { type ClientRpcAnswer, receivePublish } from "./uplink.ts";

export interface ServerOptions {
  /** 0 takes any free port. */
  readonly mqttPort?: number;
  readonly restPort?: number;
  /** MQTT over TLS on a second port; without it there is none. */
  readonly tls?: TlsOptions;
  /** Loopback by default: nothing here asks for a password. */
  readonly host?: string;
  readonly devices?: readonly DeviceOptions[];
  readonly log?: (line: string) => void;
  readonly now?: () => number;
  readonly bounds?: Partial<DeviceBounds>;
  readonly otaBounds?: Partial<OtaBounds>;
  /** Unlimited unless given, as on a fresh server. */
  readonly rateLimits?: RateLimitOptions;
  /** Behaves as this version of ThingsBoard where versions differ (spec 11.31); 4.4 unless given. */
  readonly serverVersion?: string;
  /** Answers client-side RPC in place of a rule chain. */
  readonly answerClientRpc?: ClientRpcAnswer;
  readonly claims?: ClaimOptions;
  /** Beside the profile "default"; one of that name takes its place. */
  readonly profiles?: readonly ProfileOptions[];
  /** How long a provisioning connection stays after a reply (spec 2.9). */
  readonly provisioningLingerMs?: number;
  /** `transport.sessions.inactivity_timeout` (spec 1.4). */
  readonly inactivityTimeoutMs?: number;
  readonly inactivityCheckMs?: number;
  /** `MQTT_GATEWAY_METRICS_REPORT_INTERVAL_SEC` (spec 3.6). */
  readonly gatewayMetricsIntervalMs?: number;
  readonly clientRpcTimeoutMs?: number;
  readonly rpcDefaultTimeoutMs?: number;
  readonly rpcMinTimeoutMs?: number;
  readonly rpcAcknowledgeTimeoutMs?: number;
  /** BURST unless given. */
  readonly rpcStrategy?: RpcStrategy;
  readonly rpcResponseTimeoutMs?: number;
  readonly closesOnRpcDeliveryTimeout?: boolean;
}

export interface LocalServer {
  readonly mqttPort: number;
  readonly restPort: number;
  /** null without TLS. */
  readonly tlsPort: number | null;
  readonly mqttUrl: string;
  readonly restUrl: string;
  readonly devices: DeviceRegistry;
  readonly packages: OtaPackages;
  readonly faults: Faults;
  readonly limiter: RateLimiter;
  readonly events: ServerEvents;
  addDevice(options: DeviceOptions): Device;
  /** As over REST; null takes the package of this type off. */
  assignPackage(device: Device, type: OtaType, otaPackage: OtaPackage | null): void;
  close(): Promise<void>;
}

const connectionsMax = 10_000;

export const demoDevice = { name: "Demo device", token: "DEMO_TOKEN" } as const satisfies DeviceOptions;

export async function startServer(options: ServerOptions = {}): Promise<LocalServer> {
  // First, because it throws on a bad certificate.
  const tlsIdentity = options.tls === undefined ? null : readTlsIdentity(options.tls);
  const now = options.now ?? Date.now;
  const host = options.host ?? "127.0.0.1";
  const log = options.log ?? (() => {});
  const events = new ServerEvents(now);
  const devices = new DeviceRegistry(
    { ...defaultBounds, ...options.bounds },
    {
      now,
      events,
      rpcAcknowledgeTimeoutMs: options.rpcAcknowledgeTimeoutMs ?? 10_000,
      rpcStrategy: options.rpcStrategy ?? "BURST",
      rpcResponseTimeoutMs: options.rpcResponseTimeoutMs ?? 30_000,
      closesOnRpcDeliveryTimeout: options.closesOnRpcDeliveryTimeout ?? false,
    },
  );
  for (const device of options.devices ?? [demoDevice]) devices.add(device);

  const packages = new OtaPackages({ ...defaultOtaBounds, ...options.otaBounds }, now);
  const otaCache = new OtaCache(now);
  const limiter = new RateLimiter(options.rateLimits ?? {}, now);
  const claims = new Claims(options.claims ?? {}, now, events);
  const profiles = new ProfileRegistry(now);
  for (const profile of options.profiles ?? []) profiles.save(profile, profiles.byName(profile.name)?.id);
  const provisioner = new Provisioner({ devices, profiles, events, now });
  const provisioningSessions = new Set<ProvisioningSession>();
  const serverVersion = new ServerVersion(options.serverVersion ?? defaultServerVersion);

  const sessionsOf = (deviceId?: string): DeviceSession[] =>
    [...devices].filter(({ id }) => deviceId === undefined || id === deviceId).flatMap(({ session }) => session ?? []);
  const linksOf = (deviceId?: string): Link[] => {
    const others = deviceId === undefined ? [...provisioningSessions] : [];
    return [...sessionsOf(deviceId), ...others].map(({ link }) => link);
  };
  const faults = new Faults(
    {
      fallSilent: (deviceId) => linksOf(deviceId).forEach((link) => link.fallSilent()),
      hasDevice: (id) => devices.byId(id) !== undefined,
      hasChild: (name) => devices.byName(name)?.session instanceof ChildSession,
      notifyChild: (name, reasonCode) => {
        const session = devices.byName(name)?.session;
        if (session instanceof ChildSession) session.gateway.notify(name, reasonCode);
      },
      expireOtaCache: () => otaCache.expireAll(),
      abort: (deviceId) => linksOf(deviceId).forEach((link) => link.abort("killed as a fault asked")),
    },
    events,
  );
  const gatewayContext: GatewayContext = { devices, limiter, events, faults, failures: new CreationFailures(now), now };
  const broker = await createBroker();
  const doorHost: DoorHost = {
    faults,
    events,
    attach: (stream) => broker.attach(stream),
    login: (connect, certificate) => {
      const verdict = decideLogin(connect, certificate, { devices, profiles, faults, now });
      if ("refusal" in verdict || verdict.device === null) return verdict;
      const { id, isGateway } = verdict.device;
      return limiter.spend(isGateway ? "gatewayDevice" : "device", id, 0) ? verdict : { refusal: rateRefusal };
    },
    openSession: (device, clientId, link) => {
      if (device === null) {
        const session = new ProvisioningSession(clientId, link, provisioner, options.provisioningLingerMs ?? 60_000);
        provisioningSessions.add(session);
        return session;
      }
      // One session per device: the older one goes (spec 1.4).
      device.session?.link.close(reason.sessionTakenOver, "another connection took the device over");
      const session = new Session(device, clientId, link, { now, clientRpcTimeoutMs: options.clientRpcTimeoutMs ?? 60_000, limiter, profiles });
      if (session.isGateway) session.gateway = new Gateway(session, gatewayContext);
      device.session = session;
      return session;
    },
    closeSession: (session, cause) => {
      if (session instanceof ProvisioningSession) {
        session.close();
        provisioningSessions.delete(session);
        return;
      }
      const { device } = session;
      session.clientRpcs.close();
      session.gateway?.close();
      // The event that closes a session is a message too (spec 11.30).
      session.spend();
      if (device.session === session) device.session = null;
      events.emit("disconnected", { device, cause });
    },
    receive: (session, topic, payload, qos) => {
      if (session instanceof ProvisioningSession) return session.receive(topic, payload);
      return receivePublish(session, topic, payload, qos, {
        now, events, faults, otaCache, limiter, claims, serverVersion, answerClientRpc: options.answerClientRpc,
      });
    },
  };

  const sockets = new Set<Socket>();
  let connectionCount = 0;
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  };
  const openSecure = (socket: Socket, tcp: Socket): void => {
    const chain = certificateChain(socket);
    if (chain !== null) provisioner.take(chain);
    open(socket, tcp);
  };
  const open = (socket: Socket, tcp = socket): void => void new Door(socket, doorHost, `connection-${++connectionCount}`, tcp);
  // Half-open is allowed so that a client's FIN does not cut off the answers to what it sent before.
  const listener = createServer({ allowHalfOpen: true }, (socket) => {
    keep(socket);
    open(socket);
  });
  const tlsListener = tlsIdentity === null ? null : createTlsListener(tlsIdentity, keep, openSecure);
  for (const each of [listener, tlsListener]) if (each !== null) each.maxConnections = connectionsMax;
  const inactivityTimeoutMs = options.inactivityTimeoutMs ?? 600_000;
  const idleCheck = setInterval(() => {
    for (const session of sessionsOf()) {
      const isIdle = now() - session.lastActivityMs >= inactivityTimeoutMs;
      if (isIdle) session.link.close(reason.implementationSpecificError, "no activity");
    }
  }, options.inactivityCheckMs ?? 3000);
  const metricsReport = setInterval(() => {
    for (const session of sessionsOf()) {
      const text = session instanceof Session ? session.gateway?.metrics.take() : null;
      const entry = { tsMs: now(), values: [["gatewayMetrics", { type: "json", text: text ?? "" }]] } as const;
      if (text != null) storeTelemetry((session as Session).device, [entry], events);
    }
  }, options.gatewayMetricsIntervalMs ?? 60_000);
  const rest = createRest({
    devices,
    claims,
    profiles,
    packages,
    faults,
    limiter,
    events,
    now,
    host,
    rpcDefaultTimeoutMs: options.rpcDefaultTimeoutMs ?? 10_000,
    rpcMinTimeoutMs: options.rpcMinTimeoutMs ?? 5000,
  });

  const close = async (): Promise<void> => {
    clearInterval(idleCheck);
    clearInterval(metricsReport);
    for (const device of devices) device.rpcs.close();
    for (const socket of sockets) socket.destroy();
    await Promise.all([closeListener(listener), tlsListener && closeListener(tlsListener), rest.close(), broker.close()]);
  };

  try {
    await listen(listener, options.mqttPort ?? 1883, host);
    if (tlsListener !== null) await listen(tlsListener, options.tls?.port ?? 8883, host);
    await rest.listen({ port: options.restPort ?? 8080, host });
  } catch (error) {
    await close();
    throw error;
  }
  const mqttPort = (listener.address() as AddressInfo).port;
  const tlsPort = tlsListener === null ? null : (tlsListener.address() as AddressInfo).port;
  const restPort = (rest.server.address() as AddressInfo).port;
  const urlHost = host.includes(":") ? `[${host}]` : host;
  const server: LocalServer = {
    mqttPort,
    restPort,
    tlsPort,
    mqttUrl: `mqtt://${urlHost}:${mqttPort}`,
    restUrl: `http://${urlHost}:${restPort}`,
    devices,
    packages,
    faults,
    limiter,
    events,
    addDevice: (device) => devices.add(device),
    assignPackage: (device, type, otaPackage) => assignPackage(device, type, otaPackage, { now, events }),
    close,
  };
  const tlsNote = tlsPort === null ? "" : `MQTT over TLS on mqtts://${urlHost}:${tlsPort}, `;
  log(`Development server, no passwords asked: MQTT on ${server.mqttUrl}, ${tlsNote}REST on ${server.restUrl}`);
  if (!isLoopback(host)) log(`Anyone who reaches ${host} can read and control every device here.`);
  return server;
}

function listen(listener: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    listener.once("error", reject);
    listener.listen(port, host, () => {
      listener.off("error", reject);
      resolve();
    });
  });
}

function closeListener(listener: Server): Promise<void> {
  return new Promise((resolve) => (listener.listening ? listener.close(() => resolve()) : resolve()));
}
