internal import CRdkafka

extension OutgoingMessage {
    /// Copies this message into librdkafka's queue; waits while that is full.
    func enqueue(
        _ rk: OpaquePointer, _ topic: OpaquePointer?, _ partition: Int32, tag: UInt
    ) -> rd_kafka_resp_err_t {
        let headers = headers.isEmpty ? nil : makeHeaders()
        let code = withBytes(key) { key, keySize in
            withBytes(value) { value, valueSize in
                crdkafka_produce(
                    rk, topic, partition, key, keySize, value, valueSize, timestamp ?? 0, headers, tag)
            }
        }
        // librdkafka takes the headers only with the message.
        if code != RD_KAFKA_RESP_ERR_NO_ERROR, let headers { rd_kafka_headers_destroy(headers) }
        return code
    }

    private func makeHeaders() -> OpaquePointer? {
        let list = rd_kafka_headers_new(headers.count)
        for header in headers {
            withBytes(header.value) { value, size in
                _ = rd_kafka_header_add(list, header.name, -1, value, size)
            }
        }
        return list
    }
}

/// The address and length of bytes for C: nil is no bytes at all, an empty slice has an address and no length.
private func withBytes<R>(_ bytes: ArraySlice<UInt8>?, _ body: (UnsafeRawPointer?, Int) -> R) -> R {
    guard let bytes else { return body(nil, 0) }
    return bytes.withUnsafeBytes { buffer in
        if let start = buffer.baseAddress { return body(start, buffer.count) }
        return withUnsafeBytes(of: UInt8(0)) { body($0.baseAddress, 0) }
    }
}
