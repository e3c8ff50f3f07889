/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Numbers of the Host Controller Interface, and helpers to build and read its packets. */
#ifndef SIM_HCI_H
#define SIM_HCI_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Core Specification 5.3, Vol 4: Part A (H4), Part E (commands and events); Vol 1, Part F
 * (error codes). Only what a BLE host and the virtual controllers use. */

/* H4 packet types: the first byte of every packet here. */
#define HCI_H4_COMMAND 0x01
#define HCI_H4_ACL     0x02
#define HCI_H4_EVENT   0x04

/* Sizes with the H4 byte. */
#define HCI_COMMAND_HEADER_SIZE 4 /* type, opcode u16, length u8 */
#define HCI_ACL_HEADER_SIZE     5 /* type, handle and flags u16, length u16 */
#define HCI_EVENT_HEADER_SIZE   3 /* type, event u8, length u8 */
#define HCI_EVENT_SIZE_MAX      (HCI_EVENT_HEADER_SIZE + 255)
#define HCI_ACL_PAYLOAD_MAX     251 /* what the virtual controllers take in one packet */

#define HCI_OPCODE(ogf, ocf) (((ogf) << 10) | (ocf))

enum hci_command {
    HCI_DISCONNECT = HCI_OPCODE(0x01, 0x0006),
    HCI_READ_REMOTE_VERSION = HCI_OPCODE(0x01, 0x001D),
    HCI_SET_EVENT_MASK = HCI_OPCODE(0x03, 0x0001),
    HCI_RESET = HCI_OPCODE(0x03, 0x0003),
    HCI_SET_CONTROLLER_TO_HOST_FLOW_CONTROL = HCI_OPCODE(0x03, 0x0031),
    HCI_HOST_BUFFER_SIZE = HCI_OPCODE(0x03, 0x0033),
    HCI_HOST_NUMBER_OF_COMPLETED_PACKETS = HCI_OPCODE(0x03, 0x0035),
    HCI_SET_EVENT_MASK_PAGE_2 = HCI_OPCODE(0x03, 0x0063),
    HCI_READ_LOCAL_VERSION = HCI_OPCODE(0x04, 0x0001),
    HCI_READ_LOCAL_COMMANDS = HCI_OPCODE(0x04, 0x0002),
    HCI_READ_LOCAL_FEATURES = HCI_OPCODE(0x04, 0x0003),
    HCI_READ_BUFFER_SIZE = HCI_OPCODE(0x04, 0x0005),
    HCI_READ_BD_ADDR = HCI_OPCODE(0x04, 0x0009),
    HCI_READ_RSSI = HCI_OPCODE(0x05, 0x0005),
    HCI_LE_SET_EVENT_MASK = HCI_OPCODE(0x08, 0x0001),
    HCI_LE_READ_BUFFER_SIZE = HCI_OPCODE(0x08, 0x0002),
    HCI_LE_READ_LOCAL_FEATURES = HCI_OPCODE(0x08, 0x0003),
    HCI_LE_SET_RANDOM_ADDRESS = HCI_OPCODE(0x08, 0x0005),
    HCI_LE_SET_ADV_PARAMETERS = HCI_OPCODE(0x08, 0x0006),
    HCI_LE_READ_ADV_TX_POWER = HCI_OPCODE(0x08, 0x0007),
    HCI_LE_SET_ADV_DATA = HCI_OPCODE(0x08, 0x0008),
    HCI_LE_SET_SCAN_RESPONSE_DATA = HCI_OPCODE(0x08, 0x0009),
    HCI_LE_SET_ADV_ENABLE = HCI_OPCODE(0x08, 0x000A),
    HCI_LE_SET_SCAN_PARAMETERS = HCI_OPCODE(0x08, 0x000B),
    HCI_LE_SET_SCAN_ENABLE = HCI_OPCODE(0x08, 0x000C),
    HCI_LE_CREATE_CONNECTION = HCI_OPCODE(0x08, 0x000D),
    HCI_LE_CREATE_CONNECTION_CANCEL = HCI_OPCODE(0x08, 0x000E),
    HCI_LE_READ_FILTER_ACCEPT_LIST_SIZE = HCI_OPCODE(0x08, 0x000F),
    HCI_LE_CLEAR_FILTER_ACCEPT_LIST = HCI_OPCODE(0x08, 0x0010),
    HCI_LE_CONNECTION_UPDATE = HCI_OPCODE(0x08, 0x0013),
    HCI_LE_READ_REMOTE_FEATURES = HCI_OPCODE(0x08, 0x0016),
    HCI_LE_RAND = HCI_OPCODE(0x08, 0x0018),
    HCI_LE_READ_SUPPORTED_STATES = HCI_OPCODE(0x08, 0x001C),
    HCI_LE_REMOTE_PARAMETER_REPLY = HCI_OPCODE(0x08, 0x0020),
    HCI_LE_REMOTE_PARAMETER_NEGATIVE_REPLY = HCI_OPCODE(0x08, 0x0021),
    HCI_LE_SET_DATA_LENGTH = HCI_OPCODE(0x08, 0x0022),
    HCI_LE_READ_DEFAULT_DATA_LENGTH = HCI_OPCODE(0x08, 0x0023),
    HCI_LE_WRITE_DEFAULT_DATA_LENGTH = HCI_OPCODE(0x08, 0x0024),
    HCI_LE_READ_MAXIMUM_DATA_LENGTH = HCI_OPCODE(0x08, 0x002F),
    HCI_LE_READ_PHY = HCI_OPCODE(0x08, 0x0030),
    HCI_LE_SET_DEFAULT_PHY = HCI_OPCODE(0x08, 0x0031),
    HCI_LE_SET_PHY = HCI_OPCODE(0x08, 0x0032),
};

enum hci_event {
    HCI_EV_DISCONNECTION_COMPLETE = 0x05,
    HCI_EV_READ_REMOTE_VERSION_COMPLETE = 0x0C,
    HCI_EV_COMMAND_COMPLETE = 0x0E,
    HCI_EV_COMMAND_STATUS = 0x0F,
    HCI_EV_HARDWARE_ERROR = 0x10,
    HCI_EV_NUMBER_OF_COMPLETED_PACKETS = 0x13,
    HCI_EV_DATA_BUFFER_OVERFLOW = 0x1A,
    HCI_EV_LE_META = 0x3E,
};

/* First parameter of HCI_EV_LE_META. */
enum hci_le_event {
    HCI_LE_EV_CONNECTION_COMPLETE = 0x01,
    HCI_LE_EV_ADVERTISING_REPORT = 0x02,
    HCI_LE_EV_CONNECTION_UPDATE_COMPLETE = 0x03,
    HCI_LE_EV_READ_REMOTE_FEATURES_COMPLETE = 0x04,
    HCI_LE_EV_REMOTE_PARAMETER_REQUEST = 0x06,
    HCI_LE_EV_DATA_LENGTH_CHANGE = 0x07,
    HCI_LE_EV_ENHANCED_CONNECTION_COMPLETE = 0x0A,
    HCI_LE_EV_PHY_UPDATE_COMPLETE = 0x0C,
};

enum hci_error {
    HCI_SUCCESS = 0x00,
    HCI_ERR_UNKNOWN_COMMAND = 0x01,
    HCI_ERR_UNKNOWN_CONNECTION = 0x02,
    HCI_ERR_AUTHENTICATION_FAILURE = 0x05,
    HCI_ERR_MEMORY_CAPACITY = 0x07,
    HCI_ERR_CONNECTION_TIMEOUT = 0x08, /* the supervision timeout */
    HCI_ERR_CONNECTION_LIMIT = 0x09,
    HCI_ERR_CONNECTION_EXISTS = 0x0B,
    HCI_ERR_COMMAND_DISALLOWED = 0x0C,
    HCI_ERR_LIMITED_RESOURCES = 0x0D,
    HCI_ERR_UNSUPPORTED_FEATURE = 0x11,
    HCI_ERR_INVALID_PARAMETERS = 0x12,
    HCI_ERR_REMOTE_USER_TERMINATED = 0x13,
    HCI_ERR_REMOTE_LOW_RESOURCES = 0x14,
    HCI_ERR_REMOTE_POWER_OFF = 0x15,
    HCI_ERR_LOCAL_HOST_TERMINATED = 0x16,
    HCI_ERR_UNSUPPORTED_REMOTE_FEATURE = 0x1A,
    HCI_ERR_INVALID_LL_PARAMETERS = 0x1E,
    HCI_ERR_LL_RESPONSE_TIMEOUT = 0x22,
    HCI_ERR_INSTANT_PASSED = 0x28,
    HCI_ERR_UNIT_KEY = 0x29,
    HCI_ERR_UNACCEPTABLE_PARAMETERS = 0x3B,
    HCI_ERR_ADVERTISING_TIMEOUT = 0x3C,
    HCI_ERR_MIC_FAILURE = 0x3D,
    HCI_ERR_FAILED_TO_ESTABLISH = 0x3E,
};

/* Advertising: types of LE Set Advertising Parameters, then of reports. */
#define HCI_ADV_CONNECTABLE       0x00
#define HCI_ADV_DIRECTED_HIGH     0x01
#define HCI_ADV_SCANNABLE         0x02
#define HCI_ADV_NONCONNECTABLE    0x03
#define HCI_ADV_DIRECTED_LOW      0x04
#define HCI_REPORT_ADV_IND        0x00
#define HCI_REPORT_ADV_DIRECT_IND 0x01
#define HCI_REPORT_ADV_SCAN_IND   0x02
#define HCI_REPORT_ADV_NONCONN    0x03
#define HCI_REPORT_SCAN_RSP       0x04

#define HCI_ADDRESS_PUBLIC 0x00
#define HCI_ADDRESS_RANDOM 0x01

#define HCI_ROLE_CENTRAL    0x00
#define HCI_ROLE_PERIPHERAL 0x01

/* In LE Read PHY and LE PHY Update Complete; as masks in LE Set PHY. */
#define HCI_PHY_1M      1
#define HCI_PHY_2M      2
#define HCI_PHY_MASK_1M 0x01
#define HCI_PHY_MASK_2M 0x02

/* LE features (the bits of LE Read Local Supported Features that matter here). */
#define HCI_LE_FEATURE_PARAMETER_REQUEST   (UINT64_C(1) << 1)
#define HCI_LE_FEATURE_EXTENDED_REJECT     (UINT64_C(1) << 2)
#define HCI_LE_FEATURE_PERIPHERAL_FEATURES (UINT64_C(1) << 3)
#define HCI_LE_FEATURE_DATA_LENGTH         (UINT64_C(1) << 5)
#define HCI_LE_FEATURE_2M                  (UINT64_C(1) << 8)

/* ACL: bits 12 and 13 of the first field say where in an L2CAP PDU a packet stands. */
#define HCI_ACL_HANDLE(field)        ((uint16_t)((field)&0x0FFF))
#define HCI_ACL_BOUNDARY(field)      ((uint8_t)(((field) >> 12) & 0x3))
#define HCI_ACL_FIRST_FROM_HOST      0x0 /* first, host to controller */
#define HCI_ACL_CONTINUATION         0x1
#define HCI_ACL_FIRST                0x2 /* first, controller to host */
#define HCI_ACL_FIELD(handle, bound) ((uint16_t)(((handle)&0x0FFF) | ((bound) << 12)))

/* L2CAP: basic header, and the channels of LE. */
#define L2CAP_HEADER_SIZE                    4 /* length u16, channel u16 */
#define L2CAP_CHANNEL_ATT                    0x0004
#define L2CAP_CHANNEL_SIGNALLING             0x0005
#define L2CAP_CHANNEL_SMP                    0x0006
#define L2CAP_COMMAND_REJECT                 0x01
#define L2CAP_CONNECTION_PARAMETER_REQUEST   0x12
#define L2CAP_CONNECTION_PARAMETER_RESPONSE  0x13
#define L2CAP_SIGNALLING_HEADER_SIZE         4 /* code, identifier, length u16 */
#define L2CAP_CONNECTION_PARAMETERS_ACCEPTED 0x0000
#define L2CAP_CONNECTION_PARAMETERS_REJECTED 0x0001

static inline void hci_put_le16(uint8_t *target, uint16_t value)
{
    target[0] = (uint8_t)value;
    target[1] = (uint8_t)(value >> 8);
}

static inline void hci_put_le32(uint8_t *target, uint32_t value)
{
    hci_put_le16(target, (uint16_t)value);
    hci_put_le16(target + 2, (uint16_t)(value >> 16));
}

static inline void hci_put_le64(uint8_t *target, uint64_t value)
{
    hci_put_le32(target, (uint32_t)value);
    hci_put_le32(target + 4, (uint32_t)(value >> 32));
}

static inline uint16_t hci_get_le16(const uint8_t *source)
{
    return (uint16_t)(source[0] | (source[1] << 8));
}

static inline uint32_t hci_get_le32(const uint8_t *source)
{
    return hci_get_le16(source) | ((uint32_t)hci_get_le16(source + 2) << 16);
}

static inline uint64_t hci_get_le64(const uint8_t *source)
{
    return hci_get_le32(source) | ((uint64_t)hci_get_le32(source + 4) << 32);
}

/* Addresses are printed with the most significant byte first and travel the other way. */
static inline void hci_reverse_address(uint8_t target[6], const uint8_t source[6])
{
    for (int i = 0; i < 6; i++) {
        target[i] = source[5 - i];
    }
}

/* A command with its H4 byte; target holds HCI_COMMAND_HEADER_SIZE + size bytes.
 * Returns the size of the packet. */
static inline size_t hci_put_command(uint8_t *target, uint16_t opcode,
                                     const uint8_t *parameters, size_t size)
{
    assert(size <= 255);
    target[0] = HCI_H4_COMMAND;
    hci_put_le16(target + 1, opcode);
    target[3] = (uint8_t)size;
    if (size > 0) {
        memcpy(target + HCI_COMMAND_HEADER_SIZE, parameters, size);
    }
    return HCI_COMMAND_HEADER_SIZE + size;
}

/* The header of an ACL packet with its H4 byte; size payload bytes follow it. */
static inline void hci_put_acl_header(uint8_t target[HCI_ACL_HEADER_SIZE],
                                      uint16_t handle, uint8_t boundary, uint16_t size)
{
    target[0] = HCI_H4_ACL;
    hci_put_le16(target + 1, HCI_ACL_FIELD(handle, boundary));
    hci_put_le16(target + 3, size);
}

#endif
