/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The error table's three columns. */
#include "updraft/error.h"

const char *updraft_error_message(int error)
{
    switch ((enum updraft_error)error) {
    case UPDRAFT_OK:
        return "no error";
#define UPDRAFT_ERROR_MESSAGE(name, number, exit, message) \
    case UPDRAFT_ERROR_##name:                             \
        return message;
        UPDRAFT_ERRORS(UPDRAFT_ERROR_MESSAGE)
#undef UPDRAFT_ERROR_MESSAGE
    }
    return "unknown error";
}

enum updraft_exit updraft_error_exit(int error)
{
    switch ((enum updraft_error)error) {
    case UPDRAFT_OK:
        return UPDRAFT_EXIT_DONE;
#define UPDRAFT_ERROR_EXIT(name, number, exit, message) \
    case UPDRAFT_ERROR_##name:                          \
        return UPDRAFT_EXIT_##exit;
        UPDRAFT_ERRORS(UPDRAFT_ERROR_EXIT)
#undef UPDRAFT_ERROR_EXIT
    }
    return UPDRAFT_EXIT_INTERNAL;
}
