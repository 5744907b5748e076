package import EventModel

/// Which keys belong together.
package enum HashTag {
    /// The part of a key that says where it belongs: what stands between its first `{` and the first `}` behind that, where
    /// that is not empty; else the whole key. As Redis Cluster has it (redis.io/docs, cluster specification, hash tags).
    package static func of(_ key: String) -> String {
        guard let range = range(in: key.utf8) else { return key }
        return String(decoding: key.utf8[range], as: UTF8.self)
    }

    /// The same of a key's bytes.
    package static func of(_ key: Bytes) -> Bytes {
        guard let range = range(in: key.slice) else { return key }
        return Bytes(key.slice[range])
    }

    private static func range<C: Collection>(in bytes: C) -> Range<C.Index>? where C.Element == UInt8 {
        guard let open = bytes.firstIndex(of: UInt8(ascii: "{")) else { return nil }
        let rest = bytes[bytes.index(after: open)...]
        guard let close = rest.firstIndex(of: UInt8(ascii: "}")), close != rest.startIndex else { return nil }
        return rest.startIndex..<close
    }
}
