// Cuts a TCP byte stream into whole MQTT packets and refuses one that is too long before its body is kept (spec 1.1).

/** `transport.mqtt.netty.max_payload_size`: compared with the Remaining Length, strictly greater fails. */
const remainingLengthMax = 65_536;

export class PacketTooLongError extends Error {}

export class Framer {
  #bytes: Buffer = Buffer.alloc(0);

  *push(bytes: Buffer): Generator<Buffer> {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    for (;;) {
      const packetLength = this.#packetLength();
      if (packetLength === null || this.#bytes.length < packetLength) return;
      const packet = this.#bytes.subarray(0, packetLength);
      this.#bytes = this.#bytes.subarray(packetLength);
      yield packet;
    }
  }

  /** The first packet's whole length, or null while its length bytes are not all here. */
  #packetLength(): number | null {
    let remainingLength = 0;
    for (let i = 0; i < 4; i++) {
      const byte = this.#bytes[1 + i];
      if (byte === undefined) return null;
      remainingLength += (byte & 0x7f) * 128 ** i;
      if (byte < 0x80) {
        if (remainingLength > remainingLengthMax) throw new PacketTooLongError(`Remaining Length ${remainingLength}`);
        return 2 + i + remainingLength;
      }
    }
    throw new PacketTooLongError("Remaining Length of more than four bytes");
  }
}
