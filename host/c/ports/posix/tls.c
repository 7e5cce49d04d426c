// See tls.h.
#include "tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <mbedtls/asn1.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <mbedtls/ssl.h>
#include <stdio.h>
#include <stdlib.h>

#include "mote.h"

#define SYSTEM_AUTHORITIES "/etc/ssl/certs/ca-certificates.crt"
#define PEM_MAX 16384
#define PATH_MAX_BYTES 1024

typedef struct session {
    mbedtls_ssl_context ssl;
    int socket;
    bool open;
    uint32_t unfinished; // bytes of a write that mbedTLS wants to see again
} session_t;

struct mote_posix_tls {
    mbedtls_ssl_config config;
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_x509_crt authorities, certificate;
    mbedtls_pk_context key;
    bool verified, has_key;
    char server_name[256]; // empty = mqtt_host
    char name[256];        // what the peer is checked for now
    session_t sessions[2];
};

// --------------------------------------------------------------- configuration

typedef struct reader {
    const char *json;
    uint32_t length;
    const char *base_directory;
    int32_t status;
    const char *fault;
} reader_t;

static bool refuse(reader_t *reader, int32_t status, const char *fault) {
    reader->status = status;
    reader->fault = fault;
    return false;
}

// Copies a text of the object; an absent one is empty.
static bool read_text(reader_t *reader, const char *key, const char *fault, char *out, size_t capacity) {
    mote_span_t value;
    out[0] = 0;
    if (!mote_config_find(reader->json, reader->length, key, &value)) return true;
    int32_t length = mote_config_text(value, out, capacity);
    return length > 0 || refuse(reader, length < 0 ? length : MOTE_STATUS_INVALID_VALUE, fault);
}

// Parses PEM, or the PEM file of that name; absent is fine.
typedef int parse_t(struct mote_posix_tls *tls, const char *pem, const char *path);

static bool read_pem(reader_t *reader, struct mote_posix_tls *tls, const char *key, const char *fault, parse_t *parse, bool *out_found) {
    char *text = malloc(PEM_MAX);
    char path[PATH_MAX_BYTES];
    bool done = text != NULL ? read_text(reader, key, fault, text, PEM_MAX) : refuse(reader, MOTE_STATUS_TOO_LARGE, fault);
    *out_found = done && text[0] != 0;
    if (*out_found) {
        bool is_pem = strncmp(text, "-----BEGIN", 10) == 0;
        int length = text[0] == '/' ? snprintf(path, sizeof path, "%s", text) : snprintf(path, sizeof path, "%s/%s", reader->base_directory, text);
        bool fits = is_pem || (length > 0 && (size_t)length < sizeof path);
        if (!fits || parse(tls, is_pem ? text : NULL, path) != 0) done = refuse(reader, MOTE_STATUS_INVALID_VALUE, fault);
    }
    if (text != NULL) mbedtls_platform_zeroize(text, PEM_MAX);
    free(text);
    return done;
}

static int parse_authorities(struct mote_posix_tls *tls, const char *pem, const char *path) {
    if (pem == NULL) return mbedtls_x509_crt_parse_file(&tls->authorities, path);
    return mbedtls_x509_crt_parse(&tls->authorities, (const uint8_t *)pem, strlen(pem) + 1);
}

static int parse_certificate(struct mote_posix_tls *tls, const char *pem, const char *path) {
    if (pem == NULL) return mbedtls_x509_crt_parse_file(&tls->certificate, path);
    return mbedtls_x509_crt_parse(&tls->certificate, (const uint8_t *)pem, strlen(pem) + 1);
}

static int parse_key(struct mote_posix_tls *tls, const char *pem, const char *path) {
    if (pem == NULL) return mbedtls_pk_parse_keyfile(&tls->key, path, NULL);
    return mbedtls_pk_parse_key(&tls->key, (const uint8_t *)pem, strlen(pem) + 1, NULL, 0);
}

static bool read_settings(reader_t *reader, struct mote_posix_tls *tls) {
    mote_span_t verify;
    tls->verified = true;
    if (mote_config_find(reader->json, reader->length, "verify", &verify)) {
        tls->verified = mote_span_equals(verify, "true");
        if (!tls->verified && !mote_span_equals(verify, "false")) return refuse(reader, MOTE_STATUS_WRONG_TYPE, "tls.verify");
    }
    bool has_authorities = false;
    bool has_certificate = false;
    bool done = read_text(reader, "server_name", "tls.server_name", tls->server_name, sizeof tls->server_name) &&
                read_pem(reader, tls, "ca", "tls.ca", parse_authorities, &has_authorities) &&
                read_pem(reader, tls, "certificate", "tls.certificate", parse_certificate, &has_certificate) &&
                read_pem(reader, tls, "key", "tls.key", parse_key, &tls->has_key);
    if (!done) return false;
    if (has_certificate != tls->has_key) return refuse(reader, MOTE_STATUS_MISSING_KEY, tls->has_key ? "tls.certificate" : "tls.key");
    if (tls->has_key && mbedtls_pk_check_pair(&tls->certificate.pk, &tls->key) != 0) return refuse(reader, MOTE_STATUS_INVALID_VALUE, "tls.key");
    // Without any authority every peer is untrusted, which the first connection says.
    if (!has_authorities && tls->verified) (void)mbedtls_x509_crt_parse_file(&tls->authorities, SYSTEM_AUTHORITIES);
    return true;
}

// ----------------------------------------------------------------------- names

// mbedTLS 2.28 compares no addresses: they stand as iPAddress in the extension subjectAltName [RFC 5280, 4.2.1.6].
static bool names_hold_address(uint8_t *at, const uint8_t *end, const uint8_t *address, size_t length) {
    size_t size;
    if (mbedtls_asn1_get_tag(&at, end, &size, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) != 0) return false;
    while (at < end) {
        uint8_t tag = *at++;
        if (mbedtls_asn1_get_len(&at, end, &size) != 0) return false;
        if (tag == (MBEDTLS_ASN1_CONTEXT_SPECIFIC | 7) && size == length && memcmp(at, address, length) == 0) return true;
        at += size;
    }
    return false;
}

static bool has_address(const mbedtls_x509_crt *certificate, const uint8_t *address, size_t length) {
    uint8_t *at = certificate->v3_ext.p;
    if (at == NULL) return false;
    const uint8_t *end = at + certificate->v3_ext.len;
    size_t size;
    if (mbedtls_asn1_get_tag(&at, end, &size, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) != 0) return false;
    while (at < end) {
        mbedtls_x509_buf oid = {0};
        int critical;
        if (mbedtls_asn1_get_tag(&at, end, &size, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) != 0) return false;
        const uint8_t *next = at + size;
        if (mbedtls_asn1_get_tag(&at, next, &oid.len, MBEDTLS_ASN1_OID) != 0) return false;
        oid.p = at;
        at += oid.len;
        (void)mbedtls_asn1_get_bool(&at, next, &critical); // left out when false
        if (mbedtls_asn1_get_tag(&at, next, &size, MBEDTLS_ASN1_OCTET_STRING) != 0) return false;
        if (MBEDTLS_OID_CMP(MBEDTLS_OID_SUBJECT_ALT_NAME, &oid) == 0) return names_hold_address(at, at + size, address, length);
        at += size;
    }
    return false;
}

static size_t read_address(const char *name, uint8_t *out_address) {
    if (inet_pton(AF_INET, name, out_address) == 1) return 4;
    return inet_pton(AF_INET6, name, out_address) == 1 ? 16 : 0;
}

static int check_address(void *user, mbedtls_x509_crt *certificate, int depth, uint32_t *flags) {
    const struct mote_posix_tls *tls = user;
    uint8_t address[16];
    size_t length = depth == 0 ? read_address(tls->name, address) : 0;
    if (length > 0 && !has_address(certificate, address, length)) *flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
    return 0;
}

// -------------------------------------------------------------------- life

static bool prepare(struct mote_posix_tls *tls) {
    mbedtls_ssl_config *config = &tls->config;
    static const char purpose[] = "mote";
    int result = mbedtls_ctr_drbg_seed(&tls->random, mbedtls_entropy_func, &tls->entropy, (const uint8_t *)purpose, sizeof purpose - 1);
    if (result == 0) {
        result = mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    }
    if (result != 0) return false;
    mbedtls_ssl_conf_rng(config, mbedtls_ctr_drbg_random, &tls->random);
    mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3); // TLS 1.2
    mbedtls_ssl_conf_authmode(config, tls->verified ? MBEDTLS_SSL_VERIFY_REQUIRED : MBEDTLS_SSL_VERIFY_NONE);
    mbedtls_ssl_conf_ca_chain(config, &tls->authorities, NULL);
    mbedtls_ssl_conf_verify(config, check_address, tls);
    if (tls->has_key && mbedtls_ssl_conf_own_cert(config, &tls->certificate, &tls->key) != 0) return false;
    for (int i = 0; i < 2; i++) {
        if (mbedtls_ssl_setup(&tls->sessions[i].ssl, config) != 0) return false;
    }
    return true;
}

struct mote_posix_tls *mote_posix_tls_new(const char *json, uint32_t length, const char *base_directory, int32_t *out_status,
                                          const char **out_fault) {
    reader_t reader = {.json = json, .length = length, .base_directory = base_directory, .status = MOTE_STATUS_NETWORK_FAILED, .fault = "tls"};
    struct mote_posix_tls *tls = calloc(1, sizeof *tls);
    bool done = tls != NULL;
    if (done) {
        mbedtls_ssl_config_init(&tls->config);
        mbedtls_entropy_init(&tls->entropy);
        mbedtls_ctr_drbg_init(&tls->random);
        mbedtls_x509_crt_init(&tls->authorities);
        mbedtls_x509_crt_init(&tls->certificate);
        mbedtls_pk_init(&tls->key);
        for (int i = 0; i < 2; i++) mbedtls_ssl_init(&tls->sessions[i].ssl);
        done = read_settings(&reader, tls) && prepare(tls);
        if (!done) mote_posix_tls_free(tls);
    }
    *out_status = done ? MOTE_STATUS_OK : reader.status;
    *out_fault = reader.fault;
    return done ? tls : NULL;
}

void mote_posix_tls_free(struct mote_posix_tls *tls) {
    if (tls == NULL) return;
    for (int i = 0; i < 2; i++) mbedtls_ssl_free(&tls->sessions[i].ssl);
    mbedtls_ssl_config_free(&tls->config);
    mbedtls_pk_free(&tls->key);
    mbedtls_x509_crt_free(&tls->certificate);
    mbedtls_x509_crt_free(&tls->authorities);
    mbedtls_ctr_drbg_free(&tls->random);
    mbedtls_entropy_free(&tls->entropy);
    free(tls);
}

// ---------------------------------------------------------------------- socket

static int send_bytes(void *user, const uint8_t *from, size_t length) {
    ssize_t sent = send(((session_t *)user)->socket, from, length, MSG_NOSIGNAL);
    if (sent >= 0) return (int)sent;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return MBEDTLS_ERR_SSL_WANT_WRITE;
    return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int receive_bytes(void *user, uint8_t *to, size_t capacity) {
    ssize_t received = recv(((session_t *)user)->socket, to, capacity, 0);
    if (received >= 0) return (int)received;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return MBEDTLS_ERR_SSL_WANT_READ;
    return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

bool mote_posix_tls_is_verified(const struct mote_posix_tls *tls) {
    return tls->verified;
}

int32_t mote_posix_tls_begin(struct mote_posix_tls *tls, int slot, int socket, const char *host) {
    session_t *session = &tls->sessions[slot];
    snprintf(tls->name, sizeof tls->name, "%s", tls->server_name[0] != 0 ? tls->server_name : host);
    // An address is no name that SNI can carry [RFC 6066, 3]; check_address() looks at it.
    uint8_t address[16];
    bool is_name = read_address(tls->name, address) == 0;
    session->socket = socket;
    session->open = false;
    session->unfinished = 0;
    if (mbedtls_ssl_session_reset(&session->ssl) != 0) return MOTE_STATUS_TLS_HANDSHAKE_FAILED;
    if (mbedtls_ssl_set_hostname(&session->ssl, is_name ? tls->name : NULL) != 0) return MOTE_STATUS_TLS_HANDSHAKE_FAILED;
    mbedtls_ssl_set_bio(&session->ssl, session, send_bytes, receive_bytes, NULL);
    return MOTE_STATUS_OK;
}

// Alerts by which a server turns the client's certificate down, or asks for one [RFC 5246, 7.2.2; RFC 8446, 6.2].
static bool is_about_certificate(uint8_t alert) {
    return (alert >= 41 && alert <= 46) || alert == 48 || alert == 49 || alert == 116;
}

static int32_t status_of(const session_t *session, int error) {
    if (error == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) {
        uint32_t flags = mbedtls_ssl_get_verify_result(&session->ssl);
        const uint32_t dates = MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE;
        if ((flags & ~(dates | MBEDTLS_X509_BADCERT_CN_MISMATCH)) != 0) return MOTE_STATUS_TLS_UNTRUSTED;
        return (flags & dates) != 0 ? MOTE_STATUS_TLS_EXPIRED : MOTE_STATUS_TLS_NAME_MISMATCH;
    }
    // Of a fatal alert the description is the second byte.
    if (error == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE && is_about_certificate(session->ssl.in_msg[1])) {
        return MOTE_STATUS_TLS_CLIENT_CERTIFICATE_REFUSED;
    }
    return error == MBEDTLS_ERR_SSL_CA_CHAIN_REQUIRED ? MOTE_STATUS_TLS_UNTRUSTED : MOTE_STATUS_TLS_HANDSHAKE_FAILED;
}

static int answer_of(int result) {
    if (result > 0) return result;
    if (result == MBEDTLS_ERR_SSL_WANT_READ) return MOTE_TLS_WANT_READ;
    if (result == MBEDTLS_ERR_SSL_WANT_WRITE) return MOTE_TLS_WANT_WRITE;
    bool closed = result == 0 || result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY || result == MBEDTLS_ERR_SSL_CONN_EOF;
    return closed ? MOTE_TLS_CLOSED : MOTE_TLS_FAILED;
}

int mote_posix_tls_handshake(struct mote_posix_tls *tls, int slot, int32_t *out_status) {
    session_t *session = &tls->sessions[slot];
    int result = mbedtls_ssl_handshake(&session->ssl);
    session->open = result == 0;
    if (result == 0) return 1;
    if (result == MBEDTLS_ERR_SSL_WANT_READ || result == MBEDTLS_ERR_SSL_WANT_WRITE) return answer_of(result);
    *out_status = status_of(session, result);
    return MOTE_TLS_FAILED;
}

int mote_posix_tls_read(struct mote_posix_tls *tls, int slot, void *to, uint32_t capacity) {
    return answer_of(mbedtls_ssl_read(&tls->sessions[slot].ssl, to, capacity));
}

// mbedTLS finishes a record before it looks at more bytes, and would count bytes that it never took.
int mote_posix_tls_write(struct mote_posix_tls *tls, int slot, const void *from, uint32_t length) {
    session_t *session = &tls->sessions[slot];
    if (session->unfinished != 0) length = session->unfinished;
    int result = mbedtls_ssl_write(&session->ssl, from, length);
    session->unfinished = result == MBEDTLS_ERR_SSL_WANT_WRITE || result == MBEDTLS_ERR_SSL_WANT_READ ? length : 0;
    return answer_of(result);
}

void mote_posix_tls_end(struct mote_posix_tls *tls, int slot) {
    session_t *session = &tls->sessions[slot];
    if (session->open) (void)mbedtls_ssl_close_notify(&session->ssl);
    session->open = false;
}
