/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Every error of updraft: its number, its exit class and its message, in one table. */
#ifndef UPDRAFT_ERROR_H
#define UPDRAFT_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/* What a person or a script can do about an error; also the exit status of the command.
 */
enum updraft_exit {
    UPDRAFT_EXIT_DONE = 0,
    UPDRAFT_EXIT_INTERNAL = 1,      /* a defect of updraft itself */
    UPDRAFT_EXIT_USAGE = 2,         /* the command line is wrong */
    UPDRAFT_EXIT_NO_DEVICE = 3,     /* nothing found, or no Bluetooth on this computer */
    UPDRAFT_EXIT_LINK = 4,          /* link lost; try again */
    UPDRAFT_EXIT_REFUSED = 5,       /* the device said no (busy too) */
    UPDRAFT_EXIT_IMAGE = 6,         /* the file is not a whole image for this device */
    UPDRAFT_EXIT_ROLLED_BACK = 7,   /* the new firmware did not confirm itself */
    UPDRAFT_EXIT_INTERRUPTED = 130, /* ended by the user */
};

/* X(NAME, name, number, exit class, message). Numbers and names are stable: a new error
 * gets new ones, and those that are no longer used are not given away again. One base per
 * layer: image 100, flash 200, policy 300, link 400, host 500, general 900. */
#define UPDRAFT_ERRORS(X)                                                                \
    X(IMAGE_MAGIC, image_magic, -101, IMAGE,                                             \
      "not an ESP32 image: the first byte is not 0xE9")                                  \
    X(IMAGE_SEGMENTS, image_segments, -102, IMAGE,                                       \
      "the image's segment count is not 1 to 16")                                        \
    X(IMAGE_SEGMENT, image_segment, -103, IMAGE,                                         \
      "a segment of the image has an impossible size or place")                          \
    X(IMAGE_TRUNCATED, image_truncated, -104, IMAGE,                                     \
      "the image ends before its own header says so")                                    \
    X(IMAGE_CHECKSUM, image_checksum, -105, IMAGE,                                       \
      "the image's checksum does not match its data")                                    \
    X(IMAGE_HASH, image_hash, -106, IMAGE,                                               \
      "the image's SHA-256 does not match its data")                                     \
    X(IMAGE_NO_HASH, image_no_hash, -107, IMAGE,                                         \
      "the image carries no SHA-256, so it cannot be verified")                          \
    X(IMAGE_TOO_LARGE, image_too_large, -108, IMAGE,                                     \
      "the image is larger than the device's slot")                                      \
    X(IMAGE_CHIP, image_chip, -109, IMAGE, "the image is for another chip")              \
    X(IMAGE_DESCRIPTOR, image_descriptor, -110, IMAGE,                                   \
      "the image has no application descriptor")                                         \
    X(IMAGE_CHIP_REVISION, image_chip_revision, -111, IMAGE,                             \
      "the image is for another revision of this chip")                                  \
    X(IMAGE_PROJECT, image_project, -112, REFUSED,                                       \
      "the image belongs to another project")                                            \
    X(IMAGE_HARDWARE, image_hardware, -113, REFUSED, "the image is for other hardware")  \
    X(NO_UPDRAFT, no_updraft, -114, REFUSED,                                             \
      "the image has no updraft inside: it would be the last update over Bluetooth")     \
    X(IMAGE_INVALID, image_invalid, -115, REFUSED, "ESP-IDF does not accept the image")  \
    X(FLASH_READ, flash_read, -201, INTERNAL, "the device's flash could not be read")    \
    X(FLASH_WRITE, flash_write, -202, INTERNAL,                                          \
      "the device's flash could not be written")                                         \
    X(FLASH_ERASE, flash_erase, -203, INTERNAL,                                          \
      "the device's flash could not be erased")                                          \
    X(FLASH_NO_SLOT, flash_no_slot, -204, REFUSED,                                       \
      "the partition table has no slot to update")                                       \
    X(DEVICE_INTERNAL, device_internal, -205, REFUSED,                                   \
      "something failed inside the device")                                              \
    X(ON_TRIAL, on_trial, -301, REFUSED, "the device is still trying its last update")   \
    X(VETOED, vetoed, -302, REFUSED, "the application refuses updates at the moment")    \
    X(BUSY, busy, -303, REFUSED, "another central is updating the device")               \
    X(REFUSED, refused, -304, REFUSED, "the device refused the update without a reason") \
    X(NOT_VERIFIED, not_verified, -305, REFUSED,                                         \
      "the device did not find a whole image after transfer")                            \
    X(ROLLED_BACK, rolled_back, -306, ROLLED_BACK,                                       \
      "the device went back to its previous firmware")                                   \
    X(RATE_LIMIT, rate_limit, -307, REFUSED,                                             \
      "the device had too many attempts: it wants a pause")                              \
    X(DOWNGRADE, downgrade, -308, REFUSED,                                               \
      "the image is older than what the device runs")                                    \
    X(SECURE_VERSION, secure_version, -309, REFUSED,                                     \
      "the image's secure version is below the device's")                                \
    X(ALREADY_RUNNING, already_running, -310, REFUSED,                                   \
      "the device runs this image already")                                              \
    X(NO_SIGNATURE, no_signature, -311, REFUSED, "the device takes signed images only")  \
    X(BAD_SIGNATURE, bad_signature, -312, REFUSED,                                       \
      "the image's signature does not match")                                            \
    X(UNKNOWN_KEY, unknown_key, -313, REFUSED,                                           \
      "the image is signed with a key that the device does not know")                    \
    X(ENCRYPT, encrypt, -314, REFUSED, "the device wants an encrypted link")             \
    X(AUTHENTICATE, authenticate, -315, REFUSED,                                         \
      "the device wants an authenticated link")                                          \
    X(BATTERY, battery, -316, REFUSED, "the device's battery is too low for an update")  \
    X(NO_FALLBACK, no_fallback, -317, REFUSED,                                           \
      "the device has no other firmware to go back to")                                  \
    X(NOTHING_STAGED, nothing_staged, -318, REFUSED,                                     \
      "the device holds no such staged image")                                           \
    X(LINK_LOST, link_lost, -401, LINK, "the link to the device was lost")               \
    X(LINK_TIMEOUT, link_timeout, -402, LINK, "the device did not answer in time")       \
    X(LINK_CONNECT, link_connect, -403, LINK,                                            \
      "no connection to the device could be made")                                       \
    X(LINK_ATT, link_att, -404, LINK, "the device answered with an ATT error")           \
    X(LINK_PROTOCOL, link_protocol, -405, LINK,                                          \
      "the other side sent something that the protocol does not have")                   \
    X(LINK_NO_SERVICE, link_no_service, -406, REFUSED,                                   \
      "the device has no update service")                                                \
    X(LINK_NOT_BACK, link_not_back, -407, LINK, "the device did not come back")          \
    X(LINK_DATA_LOST, link_data_lost, -408, LINK,                                        \
      "data of the update was lost on the way")                                          \
    X(LINK_STATE, link_state, -409, LINK, "the device was not in a state for that")      \
    X(UNSUPPORTED, unsupported, -410, REFUSED, "the device does not support that")       \
    X(LINK_RANGE, link_range, -411, INTERNAL,                                            \
      "the device was asked for a range that does not exist")                            \
    X(DECODE, decode, -412, LINK, "the device could not decode what was sent")           \
    X(NO_DEVICE, no_device, -501, NO_DEVICE, "no such device in range")                  \
    X(SEVERAL_DEVICES, several_devices, -502, USAGE, "several devices are in range")     \
    X(NO_ADAPTER, no_adapter, -503, NO_DEVICE, "this computer has no Bluetooth adapter") \
    X(ADAPTER_OFF, adapter_off, -504, NO_DEVICE, "Bluetooth is switched off")            \
    X(NO_BLUETOOTHD, no_bluetoothd, -505, NO_DEVICE,                                     \
      "the Bluetooth service is not running")                                            \
    X(NO_PERMISSION, no_permission, -506, NO_DEVICE, "this user may not use Bluetooth")  \
    X(IN_PROGRESS, in_progress, -507, LINK,                                              \
      "another program on this computer uses the device")                                \
    X(CANCELLED, cancelled, -901, INTERRUPTED, "interrupted")                            \
    X(ARGUMENT, argument, -902, USAGE, "an argument is out of range")                    \
    X(STATE, state, -903, INTERNAL, "a call came in the wrong state")                    \
    X(MEMORY, memory, -904, INTERNAL, "out of memory")                                   \
    X(FILE, file, -905, IMAGE, "the file could not be read")

enum updraft_error {
    UPDRAFT_OK = 0,
#define UPDRAFT_ERROR_ENUM(NAME, name, number, exit, message) \
    UPDRAFT_ERROR_##NAME = (number),
    UPDRAFT_ERRORS(UPDRAFT_ERROR_ENUM)
#undef UPDRAFT_ERROR_ENUM
};

/* The error's stable name in lower case ("image_chip"), "ok" for 0, "unknown" for a
 * number that is not in the table. Never NULL; static storage; any context. */
const char *updraft_error_name(int error);

/* One sentence without a full stop that says what is the matter. Never NULL; static
 * storage; any context. */
const char *updraft_error_message(int error);

/* What the command exits with for this error. An unknown number is UPDRAFT_EXIT_INTERNAL.
 */
enum updraft_exit updraft_error_exit(int error);

#ifdef __cplusplus
}
#endif

#endif
