/* What a client holds; for client.c and client_send.c only. */
#ifndef ITL_HTTPS_CLIENT_STATE_H
#define ITL_HTTPS_CLIENT_STATE_H

#include <curl/curl.h>

#include "https/client.h"
#include "https/pin.h"

struct https_client {
    CURL *curl;
    char origin[HTTPS_ORIGIN_MAX_BYTES];
    char *ca_file;
    struct pin pin;
    bool (*ended)(void);
    err_t refused; /* why the certificate was refused during the last handshake */
};

#endif
