// The surroundings of a Node client in its hostile life: a network that ends at any time, a store and a slot that fail, a clock without time.

import type { Packet } from "mqtt-packet";
import { NetState, Status, Want } from "../../build/generated/abi.ts";
import { MemorySlot } from "../../host/node/ports/image.ts";
import { SlotOta } from "../../host/node/ports/ota.ts";
import type { ClockPort, NetPort } from "../../host/node/ports/port.ts";
import { MemoryStore } from "../../host/node/ports/store.ts";
import type { Random } from "../sim/random.ts";
import { HostileServer } from "./hostile-server.ts";
import type { VirtualTime } from "./node-time.ts";
import mqttPacket from "mqtt-packet";

const FAILURES = [Status.DnsFailed, Status.ConnectionRefused, Status.Unreachable, Status.NetworkFailed, Status.TlsUntrusted, Status.ConnectionReset] as const;
const ENDS = [Status.ConnectionClosed, Status.ConnectionReset, Status.NetworkFailed] as const;
/** Bytes that the network takes before it is flushed. */
const ROOM = 2048;

interface Connection {
  readonly handle: number;
  state: number;
  inbound: Buffer;
  outbound: Buffer[];
}

export class Wire implements NetPort {
  onActivity: (happened: number) => void = () => {};
  /** From now on the network holds and the server does what it should. */
  isHonest = false;
  readonly #server: HostileServer;
  #connection: Connection | null = null;
  #handles = 0;
  #closing = 0;
  #settled: (() => void)[] = [];

  constructor(private readonly time: VirtualTime, private readonly random: Random, onFault: (text: string) => void, private readonly trace: (text: string) => void,
    private readonly onPacket: (packet: Packet) => void) {
    this.#server = new HostileServer(random.fork(), onFault);
  }

  open(): number {
    const { random } = this;
    if (!this.isHonest && random.percent(3)) return random.pick(FAILURES);
    const connection: Connection = { handle: ++this.#handles, state: NetState.Connecting, inbound: Buffer.alloc(0), outbound: [] };
    this.#connection = connection;
    this.#server.accept();
    const isOpened = this.isHonest || random.percent(90);
    if (this.isHonest || random.percent(95)) this.time.after(random.pick([1, 10, 2000]), () => this.#become(connection, isOpened ? NetState.Open : random.pick(FAILURES)));
    return connection.handle;
  }

  state(handle: number): number {
    return this.#of(handle)?.state ?? Status.InvalidValue;
  }

  send(handle: number, bytes: Uint8Array): number {
    const connection = this.#of(handle);
    if (connection === undefined) return Status.InvalidValue;
    if (connection.state < 0) return connection.state;
    const used = connection.outbound.reduce((sum, { length }) => sum + length, 0);
    const taken = Math.min(bytes.length, ROOM - used, this.isHonest || this.random.percent(80) ? Infinity : this.random.between(0, 20));
    connection.outbound.push(Buffer.from(bytes.subarray(0, taken)));
    // What it did not take it will take some time.
    if (taken < bytes.length) this.time.after(5, () => this.onActivity(Want.Writable));
    return taken;
  }

  receive(handle: number, into: Uint8Array): number {
    const connection = this.#of(handle);
    if (connection === undefined) return Status.InvalidValue;
    const { inbound } = connection;
    if (inbound.length === 0 && connection.state < 0) return connection.state;
    const length = Math.min(inbound.length, into.length, this.isHonest || this.random.percent(80) ? Infinity : this.random.between(1, 9));
    into.set(inbound.subarray(0, length));
    connection.inbound = inbound.subarray(length);
    return length;
  }

  close(handle: number): void {
    const connection = this.#of(handle);
    if (connection === undefined) return;
    this.flush();
    this.#connection = null;
    this.#closing++;
    this.time.after(this.random.pick([1, 1000]), () => {
      this.#closing--;
      if (this.#closing === 0) for (const resolve of this.#settled.splice(0)) resolve();
    });
  }

  flush(): void {
    const connection = this.#connection;
    if (connection === null || connection.state < 0) return;
    for (const bytes of connection.outbound.splice(0)) for (const packet of this.#server.hear(bytes)) this.#hear(connection, packet);
  }

  ready(): number {
    const connection = this.#connection;
    if (connection === null || connection.state === NetState.Connecting) return 0;
    return (connection.inbound.length > 0 || connection.state < 0 ? Want.Readable : 0) | Want.Writable;
  }

  settled(): Promise<void> {
    return this.#closing === 0 ? Promise.resolve() : new Promise((resolve) => this.#settled.push(resolve));
  }

  /** The server says something by itself. */
  say(): void {
    if (this.#connection !== null) this.#deliver(this.#connection, this.#server.say(), 0);
  }

  /** The connection ends, at the hand of whoever. */
  end(): void {
    if (this.#connection !== null) this.#become(this.#connection, this.random.pick(ENDS));
  }

  #of(handle: number): Connection | undefined {
    return this.#connection?.handle === handle ? this.#connection : undefined;
  }

  #become(connection: Connection, state: number): void {
    if (connection.state < 0 || this.#connection !== connection) return;
    this.trace(`the network becomes ${state}`);
    connection.state = state;
    this.onActivity(Want.Work | Want.Readable | Want.Writable);
  }

  #hear(connection: Connection, packet: Packet): void {
    this.onPacket(packet);
    const { random } = this;
    const delays = random.pick([[0], [0, 50], [50], [100, 30_000]]);
    for (const answer of this.#server.answer(this.isHonest ? packet : this.#misheard(packet))) {
      const isSpoilt = !this.isHonest && random.percent(2);
      if (this.isHonest || random.percent(93)) this.#deliver(connection, isSpoilt ? this.#server.spoil(answer) : answer, this.isHonest ? 1 : random.pick(delays));
    }
    if (this.isHonest) return;
    if (packet.cmd === "connect" && random.percent(8)) {
      this.#deliver(connection, mqttPacket.generate({ cmd: "connack", returnCode: random.between(1, 5), sessionPresent: false }), 0);
    }
    if (packet.cmd === "subscribe" && random.percent(10)) this.#deliver(connection, mqttPacket.generate({ cmd: "suback", messageId: packet.messageId!, granted: [128] } as Packet), 0);
  }

  /** Now and then the answer belongs to another packet. */
  #misheard(packet: Packet): Packet {
    if (packet.cmd === "connect" && this.random.percent(8)) return { cmd: "pingreq" };
    return packet.messageId !== undefined && this.random.percent(3) ? { ...packet, messageId: this.random.between(1, 9) } as Packet : packet;
  }

  #deliver(connection: Connection, bytes: Buffer, delayMs: number): void {
    const arrive = (): void => {
      if (this.#connection !== connection || connection.state <= 0) return;
      this.trace(`server says ${bytes.toString("hex")}`);
      connection.inbound = Buffer.concat([connection.inbound, bytes]);
      this.onActivity(Want.Readable);
    };
    if (delayMs === 0) this.time.soon(arrive);
    else this.time.after(delayMs, arrive);
  }
}

/** A store that fails, or is busy, as often as it is told to. */
export class FailingStore extends MemoryStore {
  failing = 0;

  constructor(private readonly time: VirtualTime, private readonly random: Random) {
    super();
  }

  override sync(area: number): number {
    if (!this.random.percent(this.failing)) return super.sync(area);
    this.time.after(20, () => this.onActivity(Want.Work));
    return this.random.percent(80) ? 0 : Status.StoreFailed;
  }

  protected override write(): void {
    if (this.random.percent(this.failing)) throw new Error("worn out");
  }
}

export function slotOta(): SlotOta {
  return new SlotOta(new MemorySlot());
}

export function clockOf(time: VirtualTime, random: Random): ClockPort {
  return { nowMs: () => BigInt(Math.floor(time.nowMs)), unixMs: () => BigInt(Math.floor(time.nowMs) + 1.7e12), random: () => random.u32() | 0 };
}
