// One life of a whole Node client between a hostile server and a careless application, and what must be true of it all the same.

import { getEventListeners } from "node:events";
import { inspect } from "node:util";
import { DeviceClient, FullError, GatewayClient, MoteError, TooLargeError, type ClientOptions } from "../../host/node/index.ts";
import type { Packet } from "mqtt-packet";
import { Random } from "../sim/random.ts";
import { CarelessNodeApplication, hasEnd } from "./node-application.ts";
import { Careless, configurationOf } from "./node-arguments.ts";
import { settle, VirtualTime } from "./node-time.ts";
import { clockOf, FailingStore, slotOta, Wire } from "./node-wire.ts";

const STEPS = 120;
/** How long an honest server may take to bring about what it should, backoffs and rates of messages among it. */
const PATIENCE_MS = 4 * 3_600_000;
/** How long the end of a client may take: the last second of its connections, and what a slot is busy with. */
const END_MS = 5000;
/** Turns that a client may ask for at once, with nobody who does anything. */
const TURNS_MAX = 2000;

interface Call {
  readonly name: string;
  outcome: "pending" | "value" | "error";
}

export interface NodeOutcome {
  /** What was wrong; undefined when nothing was. */
  readonly fault: string | undefined;
  readonly trace: readonly string[];
  /** How often each verb was called, and each error class came. */
  readonly reached: ReadonlyMap<string, number>;
}

class Life {
  readonly trace: string[] = [];
  readonly reached = new Map<string, number>();
  fault: string | undefined;
  readonly #random: Random;
  readonly #time = new VirtualTime();
  readonly #calls: Call[] = [];
  readonly #wire: Wire;
  readonly #store: FailingStore;
  readonly #client: DeviceClient;
  readonly #application: CarelessNodeApplication;
  readonly #traps: boolean;
  readonly #heard: string[] = [];
  #isTrapDue = false;
  #isTold = false;
  #callsMade = 0;

  constructor(seed: number) {
    const random = this.#random = new Random(seed);
    const profile = random.pick(["device", "device", "device", "gateway", "gateway", "gateway-large", "minimal"] as const);
    const configuration = configurationOf(random, profile);
    this.#traps = random.percent(25);
    const trace = (text: string): void => { this.trace.push(text); };
    this.#wire = new Wire(this.#time, random.fork(), (text) => this.blame(text), trace, (packet) => this.#hear(packet));
    this.#store = new FailingStore(this.#time, random.fork());
    this.#store.failing = random.pick([0, 0, 30]);
    const options: ClientOptions = {
      ports: { net: this.#wire, clock: clockOf(this.#time, random.fork()), store: this.#store, ota: slotOta() },
      whenFull: random.pick(["wait", "reject"]), waitingMax: random.pick([0, 3, 256]), queueMessages: random.pick([0, 1, 64]),
      hooks: { afterExport: (name) => { if (name !== "") this.#trap(); } },
    };
    trace(`${profile} ${JSON.stringify(configuration)}`);
    this.#client = profile === "gateway" || profile === "gateway-large" ? new GatewayClient(configuration, { ...options, profile }) : new DeviceClient(configuration, { ...options, profile });
    this.#application = new CarelessNodeApplication(this.#client, random.fork(), {
      called: (name, call) => this.#called(name, call),
      after: (ms, run) => { this.#time.after(ms, run); },
    });
  }

  async live(): Promise<void> {
    const onFault = (kind: string) => (error: unknown) => this.blame(`${kind}: ${inspect(error)}`);
    const [onRejection, onException] = [onFault("unhandled rejection"), onFault("uncaught exception")];
    const { emitWarning } = process;
    process.on("unhandledRejection", onRejection);
    process.on("uncaughtException", onException);
    process.emitWarning = ((warning: unknown, options?: { code?: string }) => this.#warned(warning, options?.code)) as typeof emitWarning;
    this.#time.install();
    try {
      await this.#live();
      await settle();
    } catch (error) {
      // What a timer, an immediate or a step of this life let through.
      this.blame(`uncaught exception: ${inspect(error)}`);
    } finally {
      this.#time.restore();
      process.emitWarning = emitWarning;
      process.off("unhandledRejection", onRejection);
      process.off("uncaughtException", onException);
    }
  }

  blame(text: string): void {
    this.trace.push(`FAULT ${text}`);
    this.fault ??= text;
  }

  async #live(): Promise<void> {
    if (this.#random.percent(90)) this.#client.start();
    for (let step = 0; step < STEPS && this.fault === undefined; step++) {
      this.#step();
      await settle();
      await this.#time.turn();
    }
    this.#application.isOver = true;
    this.#isTrapDue = false;
    this.#store.failing = 0;
    this.#wire.isHonest = true;
    if (this.fault === undefined) await this.#recover();
    if (this.fault === undefined) await this.#end();
  }

  #step(): void {
    const random = this.#random;
    const what = random.between(0, 99);
    if (what < 50) this.#application.act();
    else if (what < 65) this.#time.nowMs += random.pick([1, 100, 1000, 5000, 30_000, 130_000]);
    else if (what < 80) this.#time.nowMs += Math.min(this.#time.restMs, 200_000);
    else if (what < 92) this.#wire.say();
    else if (what < 94) this.#wire.end();
    else if (what < 98) this.#application.arguments.abortOne();
    else this.#isTrapDue = this.#traps;
  }

  /** In place of a trap of the module. */
  #trap(): void {
    if (!this.#isTrapDue || this.#random.percent(50)) return;
    this.#isTrapDue = false;
    this.trace.push("the module traps");
    throw new Error("injected");
  }

  #hear(packet: Packet): void {
    this.trace.push(`client sends ${packet.cmd} ${"topic" in packet ? packet.topic : ""} ${packet.messageId ?? ""}`);
    if (packet.cmd === "publish") this.#heard.push(packet.payload.toString());
  }

  #count(what: string): void {
    this.reached.set(what, (this.reached.get(what) ?? 0) + 1);
  }

  /** Calls a verb: what it throws, and what its promise rejects with, has a name. */
  #called(name: string, call: () => unknown): unknown {
    this.#count(name);
    const named = `${name} ${++this.#callsMade}`;
    this.trace.push(named);
    let answer: unknown;
    try {
      answer = call();
    } catch (error) {
      this.#judge(named, error);
      return undefined;
    }
    if (!(answer instanceof Promise)) return answer;
    const tracked: Call = { name: named, outcome: "pending" };
    this.#calls.push(tracked);
    answer.then(() => { tracked.outcome = "value"; }, (error: unknown) => {
      tracked.outcome = "error";
      this.#judge(named, error);
    });
    return answer;
  }

  #judge(name: string, error: unknown): void {
    this.trace.push(`  ${name}: ${error instanceof Error ? `${error.name} ${error.message}` : inspect(error)}`);
    const isAbort = error instanceof DOMException && error.name === "AbortError";
    if (error instanceof MoteError && error.status !== "Unknown") this.#count(error.name);
    else if (isAbort || error instanceof Careless) this.#count("of the application");
    else this.blame(`${name} ended with ${inspect(error)}`);
  }

  #warned(warning: unknown, code: string | undefined): void {
    this.trace.push(`  warning ${code}`);
    this.#count(String(code));
    // Many calls may share one signal.
    const isMany = warning instanceof Error && warning.name === "MaxListenersExceededWarning";
    if (!isMany && !/^MOTE_/.test(code ?? "")) this.blame(`a warning without a code: ${inspect(warning)}`);
  }

  /** All is well again: now there has to be a session in which messages arrive, whatever was before. */
  async #recover(): Promise<void> {
    const random = this.#random;
    this.trace.push("all is well again");
    if (random.percent(50)) await this.#within("stop", PATIENCE_MS, () => this.#client.stop());
    if (this.fault === undefined && random.percent(20)) return;
    await this.#within("connect", PATIENCE_MS, () => this.#connected());
    const mark = `the end of ${random.u32()}`;
    await this.#within("sendTelemetry", PATIENCE_MS, () => this.#sent({ mark }));
    if (this.fault === undefined && this.#isTold && !this.#heard.some((text) => text.includes(mark))) this.blame("the server did not hear what was delivered");
    if (this.fault !== undefined || random.percent(30)) return;
    await this.#time.pass(PATIENCE_MS);
    this.#add();
    if (random.percent(50)) await this.#within("disconnect", PATIENCE_MS, () => this.#client.disconnect());
  }

  /** Connects, once more where what was said before fails it: a refusal on its way, or another `connect`, which stopped the client. */
  async #connected(): Promise<void> {
    try {
      await this.#client.connect({ retry: true });
    } catch (error) {
      if (!(error instanceof MoteError)) throw error;
      await this.#client.connect({ retry: true });
    }
  }

  /** Sends until there is room: where nobody may wait for it, a full outbox refuses. */
  async #sent(values: Record<string, string>): Promise<void> {
    for (;;) {
      try {
        await this.#client.sendTelemetry(values, { qos: 1, whenFull: "wait" });
        this.#isTold = true;
        return;
      } catch (error) {
        // Subscriptions may have left no room for any message.
        if (error instanceof TooLargeError) return;
        if (!(error instanceof FullError)) throw error;
      }
      await new Promise<void>((resolve) => this.#time.after(1000, resolve));
    }
  }

  /** Once all is delivered, nothing was sent that was not queued: of what was queued, requests may have ended before they left. */
  #add(): void {
    const { messagesQueued, messagesSent, messagesResent, messagesDropped, messagesUnacknowledged, sendsWaiting } = this.#client.stats;
    if (messagesQueued < Math.max(messagesSent - messagesResent, messagesDropped)) {
      this.blame(`${messagesQueued} messages were queued, ${messagesSent} sent, ${messagesResent} of them again, ${messagesDropped} dropped`);
    }
    if (messagesUnacknowledged !== 0 || sendsWaiting !== 0) this.blame(`${messagesUnacknowledged} messages are not acknowledged, ${sendsWaiting} wait`);
  }

  async #within(name: string, ms: number, call: () => Promise<unknown>): Promise<void> {
    if (this.fault !== undefined) return;
    let outcome: string | undefined;
    call().then(() => { outcome = ""; }, (error: unknown) => { outcome = inspect(error); });
    await this.#time.pass(ms, () => outcome !== undefined, 200_000);
    if (outcome !== "") this.blame(`all is well, and ${name} ${outcome === undefined ? "does not end" : `fails: ${outcome}`}`);
    else this.trace.push(`${name} is done`);
  }

  /** After its end a client keeps nobody waiting and nothing alive. */
  async #end(): Promise<void> {
    await this.#within("stop", END_MS, () => this.#client.stop());
    if (this.fault !== undefined) return;
    const { sendsWaiting } = this.#client.stats;
    if (sendsWaiting > 0) this.blame(`${sendsWaiting} sends wait still`);
    // Timers of the application end as well.
    await this.#time.pass(200_000, undefined, TURNS_MAX);
    if (this.#time.pending > 0) this.blame(`${this.#time.pending} timers are left`);
    for (const iterator of this.#application.iterators) {
      if (!await hasEnd(iterator, (error) => this.#judge("next", error))) this.blame(`an iterator does not end: ${inspect(iterator)}`);
    }
    const pending = this.#calls.filter(({ outcome }) => outcome === "pending").map(({ name }) => name);
    if (pending.length > 0) this.blame(`these never settled: ${pending.join(", ")}`);
    const listening = this.#application.arguments.signals.filter((signal) => getEventListeners(signal, "abort").length > 0).length;
    if (listening > 0) this.blame(`${listening} signals are still listened to`);
    if (this.#client.state !== "Stopped" && this.#client.state !== "Failed") this.blame(`after its end it is ${this.#client.state}`);
  }
}

/** Lives the life of one seed; the same seed gives the same life. */
export async function liveNode(seed: number): Promise<NodeOutcome> {
  const life = new Life(seed);
  await life.live();
  return { fault: life.fault, trace: life.trace, reached: life.reached };
}
