#pragma once
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

// What Swift cannot import of librdkafka: variadic functions and macros that cast.

/// Hands one message to the producer; `headers` become librdkafka's where it succeeds. It waits while the queue is full.
static inline rd_kafka_resp_err_t crdkafka_produce(
    rd_kafka_t *rk, rd_kafka_topic_t *topic, int32_t partition, const void *key, size_t key_size, const void *value,
    size_t value_size, int64_t timestamp, rd_kafka_headers_t *headers, uintptr_t tag) {
    // Without variable arguments, which cost more to read than the message to copy.
    if (!headers && timestamp == 0)
        return rd_kafka_produce(
                   topic, partition, RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK, (void *)value, value_size, key, key_size,
                   (void *)tag) == 0
                   ? RD_KAFKA_RESP_ERR_NO_ERROR
                   : rd_kafka_last_error();
    return rd_kafka_producev(
        rk, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK), RD_KAFKA_V_KEY((void *)key, key_size),
        RD_KAFKA_V_VALUE((void *)value, value_size), RD_KAFKA_V_TIMESTAMP(timestamp), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_OPAQUE((void *)tag), RD_KAFKA_V_END);
}

/// Silences librdkafka, which would write to standard error; its errors come as events all the same.
static inline void crdkafka_silence(rd_kafka_conf_t *conf) {
    rd_kafka_conf_set_log_cb(conf, (void (*)(const rd_kafka_t *, int, const char *, const char *))0);
}
