/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * AES-CMAC from mbedTLS, apart from the rest: ESP-IDF's headers have another mbedTLS. */
#include <mbedtls/cipher.h>
#include <mbedtls/cmac.h>

int nimble_cmac(const unsigned char key[16], const unsigned char *bytes, size_t size,
                unsigned char ret_mac[16]);

int nimble_cmac(const unsigned char key[16], const unsigned char *bytes, size_t size,
                unsigned char ret_mac[16])
{
    const mbedtls_cipher_info_t *aes =
        mbedtls_cipher_info_from_type(MBEDTLS_CIPHER_AES_128_ECB);
    return mbedtls_cipher_cmac(aes, key, 128, bytes, size, ret_mac);
}
