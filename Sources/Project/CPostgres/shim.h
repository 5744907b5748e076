#pragma once
#include <libpq-fe.h>

static inline void cpostgres_drop_notice(void *context, const PGresult *notice) {
    (void)context;
    (void)notice;
}

/// Silences libpq, which would write the server's notices to standard error; errors come as results all the same.
static inline void cpostgres_silence(PGconn *connection) {
    PQsetNoticeReceiver(connection, cpostgres_drop_notice, (void *)0);
}
