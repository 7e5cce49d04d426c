// Names the functions of the module that each message runs through, for a compiler that chooses by their sizes alone.

/**
 * Short, and called from few places, where they are inlined. A module that has no such function, or no text beside it that names them, is as right
 * and a little slower; that `device` has them all is a gate of `npm run check`.
 */
export const OFTEN = [
  "base/decimal/putDecimal", "base/text/copyPlain", "base/text/equals", "client/publish/publishByte", "client/publish/publishRecord", "json/write/putText",
  "memory/count", "mqtt/frame/readHeader", "mqtt/length/putRemainingLength", "thingsboard/receive/idBehind",
];
/** The one that is long, and called from many places: of its calls that in `poll` is inlined, which reads RPCs. */
export const OFTEN_IN_POLL = "json/scan/read";
