/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * updraft-sim image. */
#ifndef SIM_IMAGE_COMMAND_H
#define SIM_IMAGE_COMMAND_H

/* Writes an image as the options say; argv[0] is the command's name. Returns the exit
 * status: 0, 1 when the file cannot be written, 2 when the options are wrong. */
int sim_tool_image(int argc, char **argv);

/* Says which option getopt_long (with opterr 0) gave '?' or ':' for, and what is wrong
 * with it. */
void sim_tool_bad_option(const char *program, int option, char *const *argv);

#endif
