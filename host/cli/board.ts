// The board of assembly/apps/board.ts, simulated: pins, and a room with a heater at pin 1. boards/posix/board.c is the same in C.

import { Status } from "../../build/generated/abi.ts";

const PINS = 8;
const HEATER_PIN = 1;
/** Hundredths of a degree between two readings. */
const WARMS_BY = 30;
const COOLS_BY = 20;
const Operation = { PinRead: 1, PinWrite: 2, TemperatureRead: 3 } as const;

export class Board {
  readonly #levels = new Uint8Array(PINS + 1);
  #temperature = 1800;

  constructor(private readonly onChange: (pin: number, level: number) => void) {}

  /** The `io` of an app. */
  io(operation: number, bytes: Uint8Array): number {
    if (operation === Operation.TemperatureRead && bytes.length >= 4) {
      this.#temperature += this.#levels[HEATER_PIN] !== 0 ? WARMS_BY : -COOLS_BY;
      new DataView(bytes.buffer, bytes.byteOffset).setInt32(0, this.#temperature, true);
      return 4;
    }
    const [pin = 0, level = 2] = bytes;
    if (pin < 1 || pin > PINS) return Status.InvalidValue;
    if (operation === Operation.PinRead) return this.#levels[pin]!;
    if (operation !== Operation.PinWrite || level > 1) return Status.InvalidValue;
    if (this.#levels[pin] !== level) {
      this.#levels[pin] = level;
      this.onChange(pin, level);
    }
    return Status.Ok;
  }
}
