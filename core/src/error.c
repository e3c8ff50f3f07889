/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The error table's columns, by number. */
#include "updraft/error.h"

const char *updraft_error_name(int error)
{
    switch ((enum updraft_error)error) {
    case UPDRAFT_OK:
        return "ok";
#define UPDRAFT_ERROR_NAME(NAME, name, number, exit, message) \
    case UPDRAFT_ERROR_##NAME:                                \
        return #name;
        UPDRAFT_ERRORS(UPDRAFT_ERROR_NAME)
#undef UPDRAFT_ERROR_NAME
    }
    return "unknown";
}

const char *updraft_error_message(int error)
{
    switch ((enum updraft_error)error) {
    case UPDRAFT_OK:
        return "no error";
#define UPDRAFT_ERROR_MESSAGE(NAME, name, number, exit, message) \
    case UPDRAFT_ERROR_##NAME:                                   \
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
#define UPDRAFT_ERROR_EXIT(NAME, name, number, exit, message) \
    case UPDRAFT_ERROR_##NAME:                                \
        return UPDRAFT_EXIT_##exit;
        UPDRAFT_ERRORS(UPDRAFT_ERROR_EXIT)
#undef UPDRAFT_ERROR_EXIT
    }
    return UPDRAFT_EXIT_INTERNAL;
}
