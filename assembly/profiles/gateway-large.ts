// The profile `gateway-large`: the same as `gateway`, with memory for a thousand children; see asconfig.json.
export * from "./gateway";
