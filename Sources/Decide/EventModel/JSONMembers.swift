/// Members of JSON's objects that are there twice. Readers differ in which of them counts (RFC 8259, section 4), so where a text says
/// what is to be done, none does.
package enum JSONMembers {
    /// Whether a line begins as an object does, behind spaces and tabs.
    package static func isBegun(by line: ArraySlice<UInt8>) -> Bool {
        line.first { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") } == UInt8(ascii: "{")
    }

    /// Refuses a text in which an object has a member twice, by the member's path.
    package static func checkOnce(_ bytes: ArraySlice<UInt8>) throws(Malformed) {
        if let twice = repeated(in: bytes) { throw Malformed(twice, "is there twice; give it once") }
    }

    /// The first member that its object has twice, by its path: `terms.tags`, `pairs[1].key`. In the outermost object `rowLabel` and
    /// `row_label` are one member, as in protobuf's JSON (protobuf.dev/programming-guides/json).
    ///
    /// - Returns: nil where there is none. What is no JSON is for a parser to refuse.
    package static func repeated(in bytes: ArraySlice<UInt8>) -> String? {
        var levels: [Level] = []
        var at = bytes.startIndex
        while at < bytes.endIndex {
            switch bytes[at] {
            case quote:
                guard let end = Self.end(ofText: at + 1, bytes) else { return nil }
                if let last = levels.indices.last, levels[last].awaitsName {
                    levels[last].awaitsName = false
                    let name = plain(bytes[at + 1..<end], isOutermost: last == 0)
                    if !levels[last].insert(name) { return path(levels) }
                }
                at = end
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                if levels.count == deepest { return nil }
                levels.append(Level(isObject: bytes[at] == UInt8(ascii: "{")))
            case UInt8(ascii: "}"), UInt8(ascii: "]"): if !levels.isEmpty { levels.removeLast() }
            case UInt8(ascii: ","): if let last = levels.indices.last { levels[last].goOn() }
            default: break
            }
            at += 1
        }
        return nil
    }

    /// Deeper than any parser here reads.
    private static let deepest = 1000
    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")

    /// An object or a list that has begun.
    private struct Level {
        /// Names are compared one by one until there are so many.
        private static let few = 16
        let isObject: Bool
        /// Whether the next text is a member's name.
        var awaitsName: Bool
        private var names: [ArraySlice<UInt8>] = []
        /// All of them, where they are many.
        private var many: Set<ArraySlice<UInt8>> = []
        /// The last member's name.
        private var name: ArraySlice<UInt8> = []
        /// The number of the last element.
        private var index = 0

        init(isObject: Bool) { (self.isObject, awaitsName) = (isObject, isObject) }

        mutating func goOn() {
            awaitsName = isObject
            index += 1
        }

        /// - Returns: whether the object has not had it.
        mutating func insert(_ name: ArraySlice<UInt8>) -> Bool {
            self.name = name
            if names.count < Self.few {
                if names.contains(where: { $0.count == name.count && $0.elementsEqual(name) }) { return false }
                names.append(name)
                return true
            }
            if many.isEmpty { many = Set(names) }
            return many.insert(name).inserted
        }

        var text: String { isObject ? ".\(String(decoding: name, as: UTF8.self))" : "[\(index)]" }
    }

    /// Where the text ends that begins behind its quote: at its last quote.
    private static func end(ofText start: Int, _ bytes: ArraySlice<UInt8>) -> Int? {
        var at = start
        while at < bytes.endIndex {
            if bytes[at] == quote { return at }
            at += bytes[at] == backslash ? 2 : 1
        }
        return nil
    }

    /// A name with its escapes read, in the outermost object as JSON spells it.
    private static func plain(_ name: ArraySlice<UInt8>, isOutermost: Bool) -> ArraySlice<UInt8> {
        var plain = name
        if name.contains(backslash), let text = JSONEscapes.text(name) { plain = Array(text.utf8)[...] }
        if !isOutermost || !plain.contains(UInt8(ascii: "_")) { return plain }
        var camel: [UInt8] = []
        var isNext = false
        for byte in plain {
            if byte == UInt8(ascii: "_") {
                isNext = true
                continue
            }
            let isSmall = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            camel.append(isNext && isSmall ? byte & 0xdf : byte)
            isNext = false
        }
        return camel[...]
    }

    private static func path(_ levels: [Level]) -> String {
        let path = levels.map(\.text).joined()
        return path.hasPrefix(".") ? String(path.dropFirst()) : path
    }
}
