/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * updraft-sim: virtual ESP32 boards behind an emulated BlueZ. */
#include <stddef.h>
#include <string.h>

#include "sim/tool/board_process.h"
#include "sim/tool/image_command.h"
#include "sim/tool/supervisor.h"

int main(int argc, char **argv)
{
    static const char *const verbs[] = {"air",   "boards",  "power", "link",
                                        "flash", "otadata", "log",   "bluez"};
    static struct tool_options options;
    bool help = false;
    if (argc > 1 && strcmp(argv[1], "image") == 0) {
        return sim_tool_image(argc - 1, argv + 1);
    }
    if (argc > 1 && strcmp(argv[1], "board-process") == 0) {
        return board_process(argc, argv);
    }
    for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(argv[1], verbs[i]) == 0) {
            return control_client(argc - 1, argv + 1);
        }
    }
    int status = tool_options_read(argc, argv, &options, &help);
    return status != 0 || help ? status : supervise(&options);
}
