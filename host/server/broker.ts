// Runs aedes behind the doors: it holds each MQTT conversation, and its hooks ask the device model instead of routing messages.

import { Duplex } from "node:stream";
import { Aedes, type AuthenticateError, type Client } from "aedes";

/** Whether a PUBLISH is acknowledged, left without an answer, or ends the conversation. */
export type PublishDecision = "acknowledge" | "silent" | "close";

/** What the broker asks of the connection it serves. */
export interface BrokerPeer {
  /** Bytes of a packet for the client. */
  fromBroker(bytes: Buffer): void;
  /** Calls back when the client's socket takes bytes again. */
  whenWritable(resume: () => void): void;
  /** The login: whether it is accepted. */
  authenticate(): boolean;
  /** A PUBLISH has come through. */
  decidePublish(topic: string, payload: Buffer): PublishDecision;
}

/** The broker's end of a connection. It carries plain MQTT 3.1.1 whatever the client speaks. */
export class BrokerStream extends Duplex {
  readonly peer: BrokerPeer;

  constructor(peer: BrokerPeer) {
    super();
    this.peer = peer;
  }

  override _read(): void {
    // The door pushes one packet at a time; there is nothing to fetch.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.peer.fromBroker(chunk);
    this.peer.whenWritable(done);
  }
}

export interface Broker {
  attach(stream: BrokerStream): Client;
  close(): Promise<void>;
}

export async function createBroker(): Promise<Broker> {
  const aedes = await Aedes.createBroker({
    authenticate: (client, _username, _password, done) => {
      if (peerOf(client).authenticate()) return done(null, true);
      // The door knows the exact code and writes it; aedes only needs to know that this login failed.
      done(Object.assign(new Error("refused"), { returnCode: 5 }) as AuthenticateError, false);
    },
    authorizePublish: (client, packet, done) => {
      if (client === null) return done();
      const decision = peerOf(client).decidePublish(packet.topic, packet.payload as Buffer);
      if (decision === "close") return done(new Error("closed by a publish rule"));
      // aedes acknowledges QoS 1 by itself; as QoS 0 the message gets no PUBACK (R6 and `[]`, spec 2.0, 2.2).
      if (decision === "silent") packet.qos = 0;
      done();
    },
    // Nothing one device publishes reaches another: only downlinks made by the server have no client id.
    authorizeForward: (_client, packet) => ("clientId" in packet ? null : packet),
  });
  return {
    attach: (stream) => aedes.handle(stream),
    close: () => new Promise((resolve) => aedes.close(() => resolve())),
  };
}

function peerOf(client: Client): BrokerPeer {
  return (client.conn as BrokerStream).peer;
}
