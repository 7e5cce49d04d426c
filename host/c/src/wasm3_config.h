// Every setting of wasm3, in one place; the build includes it before each of wasm3's sources and engine_wasm3.c. wasm3 itself
// knows neither PICO nor ESP_PLATFORM and would silently take desktop sizes there.
#ifndef MOTE_WASM3_CONFIG_H
#define MOTE_WASM3_CONFIG_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

// Bytes of a page of compiled code: what is wasted at the end is half of this on average.
#ifndef d_m3CodePageAlignSize
#define d_m3CodePageAlignSize 1024
#endif

// Names that one function may have as an export; 4 bytes of each function. A gate of the build holds the modules to it.
#ifndef d_m3MaxDuplicateFunctionImpl
#define d_m3MaxDuplicateFunctionImpl 1
#endif

// Slots of four bytes that one function may use; sizes tables in the compiler's state, inside the runtime record.
#ifndef d_m3MaxFunctionStackHeight
#define d_m3MaxFunctionStackHeight 128
#endif

// Constants that one function may hold in slots instead of in its code.
#ifndef d_m3MaxConstantTableSize
#define d_m3MaxConstantTableSize 64
#endif

// Nested blocks that upstream's validator follows; a switch of 16 ways is 17 of them.
#ifndef d_m3ValCtrlDepth
#define d_m3ValCtrlDepth 40
#endif

// Client profiles have no f32 and f64 instruction. Off saves 22 KB of flash; an app that uses floats needs it on.
#ifndef d_m3HasFloat
#define d_m3HasFloat 0
#endif

// A module with a float instruction is refused when it is compiled, not when the instruction runs.
#ifndef d_m3NoFloatDynamic
#define d_m3NoFloatDynamic 0
#endif

// Formatted error messages cost flash and 256 bytes of each runtime.
#define d_m3VerboseErrorMessages 0

// Fused opcodes: 3 KB of flash for 5 to 10 % of the instructions.
#ifndef d_m3CascadedOpcodes
#define d_m3CascadedOpcodes 1
#endif

// Modules have one page and never grow; `gateway-large` has 16.
#define d_m3MaxLinearMemoryPages 16

// Upstream's limit of native recursion; modules do not recurse, and the build proves it.
#ifndef d_m3MaxNativeStack
#define d_m3MaxNativeStack 0
#endif

// wasm3 takes its memory from the arena of the caller whose call this is. d_m3FixedHeap would never free.
void *mote_wasm3_calloc(size_t count, size_t size);
void *mote_wasm3_realloc(void *block, size_t size);
void mote_wasm3_free(void *block);
#define calloc mote_wasm3_calloc
#define realloc mote_wasm3_realloc
#define free mote_wasm3_free

#endif
