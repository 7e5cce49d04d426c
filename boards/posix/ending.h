// How somebody from outside ends a program: Ctrl-C, SIGTERM, or its terminal goes away.
#ifndef MOTE_ENDING_H
#define MOTE_ENDING_H

// From now on these call `on_signal`. Under nohup the terminal may go away.
void ending_watch(void (*on_signal)(int number));

// There is nothing left to wake: a further signal ends the program at once, but not that of the terminal, which comes from the system and
// once more from the shell.
void ending_unwatch(void);

#endif
