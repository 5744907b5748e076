internal import CRdkafka

/// How a message lies in the arena: key, value, then each header's value. The functions walk in the same order.
extension UnsafePointer<rd_kafka_message_t> {
    /// Ask once: librdkafka parses anew each time where there are none.
    var headers: OpaquePointer? {
        var headers: OpaquePointer?
        return rd_kafka_message_headers(self, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR ? headers : nil
    }

    func arenaBytes(_ headers: OpaquePointer?) -> Int {
        var size = pointee.key_len + pointee.len
        forEach(headers) { _, _, count in size += count }
        return size
    }

    func copy(_ headers: OpaquePointer?, into buffer: UnsafeMutableRawBufferPointer, at used: inout Int) {
        func put(_ bytes: UnsafeRawPointer?, _ count: Int) {
            guard let bytes, count > 0 else { return }
            buffer.baseAddress?.advanced(by: used).copyMemory(from: bytes, byteCount: count)
            used += count
        }
        put(pointee.key, pointee.key_len)
        put(pointee.payload, pointee.len)
        forEach(headers) { _, bytes, count in put(bytes, count) }
    }

    func read(_ headers: OpaquePointer?, _ arena: [UInt8], at used: inout Int) -> KafkaMessage {
        func next(_ bytes: UnsafeRawPointer?, _ count: Int) -> ArraySlice<UInt8>? {
            guard bytes != nil else { return nil }
            used += count
            return arena[used - count..<used]
        }
        var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let (key, value) = (next(pointee.key, pointee.key_len), next(pointee.payload, pointee.len))
        var list: [MessageHeader] = []
        forEach(headers) { name, bytes, count in
            list.append(MessageHeader(String(cString: name), next(bytes, count)))
        }
        return KafkaMessage(
            offset: pointee.offset, timestamp: rd_kafka_message_timestamp(self, &kind), key: key, value: value,
            headers: list)
    }

    private func forEach(
        _ headers: OpaquePointer?, _ body: (UnsafePointer<CChar>, UnsafeRawPointer?, Int) -> Void
    ) {
        guard let headers else { return }
        var name: UnsafePointer<CChar>?
        var bytes: UnsafeRawPointer?
        var count = 0
        var i = 0
        while rd_kafka_header_get_all(headers, i, &name, &bytes, &count) == RD_KAFKA_RESP_ERR_NO_ERROR, let found = name
        {
            body(found, bytes, bytes == nil ? 0 : count)
            i += 1
        }
    }
}
