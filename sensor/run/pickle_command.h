/* run/pickle_command.h - `celeriac pickle [--json] [FILE|-]...`: what would these bytes do if
 * Python loaded them. */
#ifndef RUN_PICKLE_COMMAND_H
#define RUN_PICKLE_COMMAND_H

/* argv[0] is "pickle". Writes to standard output. Returns the exit code: 0 every file was judged,
 * 64 usage, 66 a file could not be read (the others were judged), 74 the output failed. */
int pickle_command(int argc, char **argv);

#endif
