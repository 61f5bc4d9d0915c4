/* The hash and the signature of port.h by libcrypto: of the host build and of the fuzzer. */
#define OPENSSL_SUPPRESS_DEPRECATED /* SHA256_Init and friends hash in a struct of ours; EVP would allocate */
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "host.h"

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct port_sha256), "libcrypto's state fits");

void port_sha256_begin(struct port_sha256 *hash) { SHA256_Init((SHA256_CTX *)hash); }

void port_sha256_add(struct port_sha256 *hash, const void *data, size_t length) {
    SHA256_Update((SHA256_CTX *)hash, data, length);
}

void port_sha256_end(struct port_sha256 *hash, uint8_t digest[32]) { SHA256_Final(digest, (SHA256_CTX *)hash); }

bool port_ed25519_verify(const uint8_t signature[64], const uint8_t *message, size_t length) {
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, host_signer(), 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool right = key != NULL && context != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
                 EVP_DigestVerify(context, signature, 64, message, length) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return right;
}

void port_signer_digest(uint8_t digest[32]) {
    /* SubjectPublicKeyInfo of Ed25519 up to the key (RFC 8410) */
    static const uint8_t prefix[] = {0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00};
    struct port_sha256 hash;
    port_sha256_begin(&hash);
    port_sha256_add(&hash, prefix, sizeof prefix);
    port_sha256_add(&hash, host_signer(), 32);
    port_sha256_end(&hash, digest);
}
