/* What a text setting must look like. Each check takes NUL-terminated text that is not empty. */
#ifndef ITL_CONFIG_SHAPE_H
#define ITL_CONFIG_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Absolute, without "..", without a slash at the end. */
bool config_shape_is_path(const char *text);

/* A path, or "credential:NAME" (systemd.exec LoadCredential=). */
bool config_shape_is_pin_file(const char *text);

/* host:port or [v6]:port with a numeric address or a DNS name. */
bool config_shape_is_listen_address(const char *text);

/* A DNS name (RFC 1123 section 2.1; a leading "*." is not accepted) or a numeric IP address without
 * brackets. */
bool config_shape_is_host(const char *text);

/* https://host[:port][/path], without user, query and fragment. */
bool config_shape_is_service_url(const char *text);

/* The same, or with http: what is public and signed needs no TLS. */
bool config_shape_is_public_url(const char *text);

/* A SPIFFE trust domain (SPIFFE-ID section 2.1). */
bool config_shape_is_trust_domain(const char *text);

/* A path with variables in double braces; which there are is the signer's to know. */
bool config_shape_is_spiffe_template(const char *text);

/* 64 or 96 hexadecimal digits. */
bool config_shape_is_hash(const char *text);

/* A user name or number, not root's. */
bool config_shape_is_account(const char *text);

/* Two capital letters (ISO 3166-1 alpha-2). */
bool config_shape_is_country(const char *text);

/* A container image reference: letters, digits and ._-/:@ */
bool config_shape_is_image(const char *text);

/* controlplane, worker-infra or worker-app. */
bool config_shape_is_role(const char *text);

/* "P-256", "P-384", "P-521", "RSA-2048", "RSA-3072" or "RSA-4096". */
bool config_shape_is_ak_key(const char *text);

/* An environment variable that a PKCS#11 module may be given: capitals, digits, underscores, and
 * not one that the dynamic loader, the C library or this appliance reads. */
bool config_shape_is_variable(const char *text);

/* Splits what config_shape_is_listen_address accepted; out_host has `size` bytes and gets no
 * brackets. */
void config_shape_split_address(const char *address, char *out_host, size_t size,
                                uint16_t *out_port);

#endif
