/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * updraft-sim image without the rest of updraft-sim. */
#include "sim/tool/image_command.h"

int main(int argc, char **argv)
{
    return sim_tool_image(argc, argv);
}
