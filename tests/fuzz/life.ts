// One life of a client between a hostile server and a careless application, and what must be true of it all the same.

import { EventKind, EventKindNames, Stat, Status, StatusNames } from "../../build/generated/abi.ts";
import { Random } from "../sim/random.ts";
import type { NetAction, Poll, VectorDevice } from "../vectors/device.ts";
import { V8Device } from "../vectors/v8-device.ts";
import { CarelessApplication, type Call } from "./careless-application.ts";
import { HostileServer } from "./hostile-server.ts";
import type { Packet } from "mqtt-packet";

export const PROFILES = ["minimal", "device", "gateway"] as const;
export type Profile = (typeof PROFILES)[number];

const STEPS = 250;
/** So many polls in a row that are asked for at once, without anything that happened, are a loop without end. */
const IDLE_POLLS_MAX = 50;
/** Polls after which a client must have a session once all is well again. */
const RECOVERY_POLLS = 1000;
/** Verbs that queue one message whenever they do not answer a Status. */
const QUEUES_ONE = /^(send_\w+|publish|claim)$/;

/** The profile that lives the life of a seed. */
export function profileOf(seed: number): Profile {
  return PROFILES[seed % PROFILES.length]!;
}

function settingsOf(random: Random, profile: Profile): Record<string, unknown> {
  const always = {
    mqtt_host: "h", access_token: "T", receive_buffer: random.pick([64, 72, 128, 256, 512]), send_buffer: random.pick([64, 128, 200, 256, 640, 1024]), staging_buffer: random.pick([64, 100, 256, 512]),
    keep_alive_s: random.pick([0, 5, 60]), qos: random.between(0, 1), max_inflight: random.pick([1, 2, 16]), rpc: random.percent(90),
  };
  if (profile === "minimal") return always;
  return {
    ...always, max_requests: random.pick([1, 2, 4]), session_limits: random.percent(60), redeliver: random.percent(30), outbox_drop_oldest: random.percent(30), clean_session: true,
    send_buffer: random.pick([200, 256, 640]),
    ...(random.percent(50) && { firmware_title: "t", firmware_version: "1", send_buffer: random.pick([640, 1024]), ota_chunk_size: random.pick([0, 64, 100]) }),
    ...(random.percent(20) && { messages_rate_limit: random.pick(["10:1", "1:1,5:60", "3:10;20:100"]) }),
    ...(random.percent(20) && { telemetry_points_rate_limit: random.pick(["10:1", "1:1,5:60"]) }),
    ...(random.percent(10) && { will_topic: "w", will_payload: "p", will_qos: 1 }),
    ...(random.percent(10) && { access_token: undefined, receive_buffer: 512, provision: { provisionDeviceKey: "k", provisionDeviceSecret: "s" } }),
    ...(profile === "gateway" && { children_buffer: random.pick([64, 128, 1024]), send_buffer: random.pick([640, 700, 1024]) }),
  };
}

/** Something that was done to the device, and what came of it. */
export interface Deed {
  readonly name: keyof VectorDevice;
  readonly args: readonly unknown[];
  readonly outcome: unknown;
}

export interface Outcome {
  /** What was wrong; undefined when nothing was. */
  readonly fault: string | undefined;
  readonly trace: readonly string[];
  readonly deeds: readonly Deed[];
  /** How often each event came. */
  readonly events: ReadonlyMap<number, number>;
}

/** The device, with a note of everything that is done to it. */
function noting(device: V8Device, deeds: Deed[]): V8Device {
  return new Proxy(device, {
    get: (target, name: keyof VectorDevice) => (...args: never[]) => {
      const outcome = (target[name] as (...args: never[]) => unknown)(...args);
      deeds.push({ name, args, outcome });
      return outcome;
    },
  });
}

class Life {
  readonly trace: string[] = [];
  readonly deeds: Deed[] = [];
  readonly events = new Map<number, number>();
  fault: string | undefined;
  private readonly random: Random;
  private readonly device: V8Device;
  private readonly server: HostileServer;
  private readonly application: CarelessApplication;
  private readonly settings: Record<string, unknown>;
  private isReliable = false;
  private idlePolls = 0;

  constructor(seed: number, module?: WebAssembly.Module) {
    this.random = new Random(seed);
    const profile = profileOf(seed);
    this.settings = settingsOf(this.random, profile);
    this.device = noting(new V8Device(profile, module), this.deeds);
    this.server = new HostileServer(this.random.fork(), (text) => this.blame(text));
    this.application = new CarelessApplication(this.random.fork(), profile);
    this.trace.push(`${profile} ${JSON.stringify(this.settings)}`);
  }

  live(): void {
    const { result } = this.device.configure(JSON.stringify(this.settings), BigInt(this.random.pick([0, 1000, 2 ** 31 - 5000, 2 ** 32 - 5000])));
    if (result !== Status.Ok) return this.blame(`configure answered ${StatusNames[result]} for ${this.device.fault().text}`);
    if (this.random.percent(90)) this.use({ name: "start", args: [] });
    for (let step = 0; step < STEPS && this.fault === undefined; step++) this.step();
    if (this.fault === undefined) this.recover();
  }

  private blame(text: string): void {
    this.fault ??= text;
  }

  private step(): void {
    const { random, device } = this;
    const what = random.between(0, 99);
    if (what < 25) this.use(this.application.call());
    else if (what < 75) this.poll();
    else if (what < 85) this.say(this.server.say());
    else if (what < 91) this.tick(random.pick([1, 100, 1000, 5000, 30_000, 130_000]));
    else if (what < 93) device.setLink(random.pick(["open", "open", Status.ConnectionClosed]));
    else if (what < 96) device.accept(random.pick([0, 1, 7, 50]));
    else device.accept(Infinity);
  }

  private tick(ms: number): void {
    this.trace.push(`${ms} ms pass`);
    this.device.tick(ms);
  }

  private say(packet: Buffer): void {
    this.trace.push(`server says ${packet.toString("hex")}`);
    this.device.receive(packet);
  }

  private use({ name, args }: Call): void {
    const length = args.reduce<number>((sum, each) => sum + (typeof each === "number" ? 0 : (each.bytes.length + 3) & ~3), 0);
    if (length > Number(this.settings["staging_buffer"])) return;
    this.trace.push(`${name}(${args.map((each) => (typeof each === "number" ? each : `${each.as} of ${Buffer.from(each.bytes).toString("hex")}`)).join(", ")})`);
    const before = this.device.counter(Stat.MessagesQueued);
    const { result, actions } = this.device.call(name, args);
    this.trace.push(`  ${StatusNames[result] ?? result}`);
    this.watch(actions);
    const queued = this.device.counter(Stat.MessagesQueued) - before;
    if (result < 0 ? queued !== 0 : QUEUES_ONE.test(name) && queued !== 1) this.blame(`${name} answered ${StatusNames[result] ?? result} and queued ${queued} messages`);
  }

  private poll(): Poll {
    const poll = this.device.poll();
    this.watch(poll.actions);
    const { event } = poll;
    if (event !== undefined) {
      this.events.set(event.kind, (this.events.get(event.kind) ?? 0) + 1);
      this.trace.push(`event ${EventKindNames[event.kind]} id ${event.id} reason ${StatusNames[event.reason] ?? event.reason}`);
    }
    const isIdle = poll.deadlineMs === 0 && event === undefined && poll.received === 0 && poll.actions.length === 0;
    this.idlePolls = isIdle ? this.idlePolls + 1 : 0;
    if (this.idlePolls > IDLE_POLLS_MAX) this.blame("the client asks to be polled at once for ever");
    if (poll.deadlineMs < 0) this.blame(`deadline_ms() is ${poll.deadlineMs}`);
    return poll;
  }

  /** What the client did to the network. */
  private watch(actions: readonly NetAction[]): void {
    for (const action of actions) {
      if (action.kind === "open") {
        this.server.accept();
        if (this.isReliable || this.random.percent(90)) this.device.setLink("open");
      } else if (action.kind === "send") {
        for (const packet of this.server.hear(action.bytes)) this.hear(packet);
      }
    }
  }

  private hear(packet: Packet): void {
    if (packet.cmd === "publish" && /^v1\//.test(packet.topic)) this.checkJson(packet.topic, packet.payload as Buffer);
    if (!this.isReliable && this.random.percent(5)) return;
    for (const answer of this.server.answer(packet)) this.say(!this.isReliable && this.random.percent(2) ? this.server.spoil(answer) : answer);
  }

  /** What leaves on a topic of ThingsBoard went through the module's writer or its checks: no application of this test publishes there by itself. */
  private checkJson(topic: string, payload: Buffer): void {
    try {
      JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
    } catch {
      this.blame(`no JSON left on ${topic}: ${payload.toString("latin1")}`);
    }
  }

  /** All is well again: now a session has to come about, whatever was before. */
  private recover(): void {
    const { device } = this;
    this.trace.push("all is well again");
    this.isReliable = true;
    device.accept(Infinity);
    this.use({ name: "stop", args: [] });
    this.use({ name: "start", args: [] });
    for (let polls = 0; polls < RECOVERY_POLLS && this.fault === undefined; polls++) {
      const { event, actions, deadlineMs, received } = this.poll();
      // A session that provisions ends in one with the credentials that it got, or in none when the server has none.
      if (event?.kind === EventKind.Connected || event?.kind === EventKind.ProvisioningFailed) return;
      if (event === undefined && actions.length === 0 && received === 0 && device.unread() === 0) this.tick(Math.min(deadlineMs, 3_600_000));
    }
    this.blame("no session though all was well again");
  }
}

/** Lives the life of one seed, with the module of its profile or with another one in its place; the same seed gives the same life. */
export function live(seed: number, module?: WebAssembly.Module): Outcome {
  const life = new Life(seed, module);
  let thrown: string | undefined;
  try {
    life.live();
  } catch (error) {
    // A trap, or what the device does not let a module do.
    thrown = error instanceof Error ? error.message : String(error);
  }
  return { fault: thrown ?? life.fault, trace: life.trace, deeds: life.deeds, events: life.events };
}
