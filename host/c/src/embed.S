// A module's bytes as read-only data: mote_module_<profile> up to mote_module_<profile>_end. The build defines
// MOTE_EMBED_FILE, MOTE_EMBED_BEGIN and MOTE_EMBED_END.
    .section .rodata
    .balign 4
    .globl MOTE_EMBED_BEGIN
MOTE_EMBED_BEGIN:
    .incbin MOTE_EMBED_FILE
    .globl MOTE_EMBED_END
MOTE_EMBED_END:
    .byte 0
#if defined(__linux__) && defined(__ELF__)
    .section .note.GNU-stack,"",%progbits
#endif
