internal import EventModel

/// A state's JSON as a checkpoint keeps it, with a checksum of it and its key before it: a byte that changed on the disk would
/// otherwise be decided on. Checkpoints of earlier versions have the JSON alone.
enum StateEncoding {
    /// No JSON begins like this.
    private static let mark = UInt8(ascii: "#")
    private static let digits = 16

    static func text(of json: String, key: String) -> String {
        let sum = String(checksum(json[...], key), radix: 16)
        return "#\(String(repeating: "0", count: digits - sum.count))\(sum)\(json)"
    }

    /// Nil where it is not as it was written.
    static func json(of text: String, key: String) -> String? {
        if text.utf8.first != mark { return text }
        let rest = text.utf8.dropFirst()
        guard let sum = UInt64(String(decoding: rest.prefix(digits), as: UTF8.self), radix: 16) else { return nil }
        let json = String(decoding: rest.dropFirst(digits), as: UTF8.self)
        return checksum(json[...], key) == sum ? json : nil
    }

    private static func checksum(_ json: Substring, _ key: String) -> UInt64 {
        var hash = FNV1a()
        for var part in [key[...], json] {
            hash.add(number: Int64(part.utf8.count))
            part.withUTF8 { hash.add(UnsafeRawBufferPointer($0)) }
        }
        return hash.value
    }
}
