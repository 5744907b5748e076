package import EventModel

/// The members of a JSON object at its top level, found without reading what is in them: a line's time is taken out, or its
/// event, and the rest stays as it was written.
package struct TopLevel {
    package struct Member {
        /// The name's bytes without its quotes; escapes are left as they are.
        package var name: ArraySlice<UInt8>
        package var value: ArraySlice<UInt8>
        /// From the name's quote to the end of the value.
        package var whole: Range<Int>
    }
    package let bytes: ArraySlice<UInt8>
    package private(set) var members: [Member] = []

    /// Nil where the bytes are no JSON object; what is wrong with it is for a whole parser to say.
    package init?(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        var at = bytes.startIndex
        var separated = true
        func skipSpace() { while at < bytes.endIndex, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[at]) { at += 1 } }
        /// Past a text in quotes, from its first quote.
        func skipText() -> Bool {
            at += 1
            while at < bytes.endIndex {
                if bytes[at] == UInt8(ascii: "\"") {
                    at += 1
                    return true
                }
                at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1
            }
            return false
        }
        /// Past a value: a text, a thing in brackets, or a word.
        func skipValue() -> Bool {
            var depth = 0
            while at < bytes.endIndex {
                switch bytes[at] {
                case UInt8(ascii: "\""):
                    if !skipText() { return false }
                    if depth == 0 { return true }
                    continue
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    if depth == 0 { return true }
                    depth -= 1
                    if depth == 0 {
                        at += 1
                        return true
                    }
                case UInt8(ascii: ","): if depth == 0 { return true }
                default: break
                }
                at += 1
            }
            return false
        }
        skipSpace()
        guard at < bytes.endIndex, bytes[at] == UInt8(ascii: "{") else { return nil }
        at += 1
        skipSpace()
        while true {
            guard at < bytes.endIndex else { return nil }
            // The end, where nothing but space may follow; a comma before it is no JSON.
            if bytes[at] == UInt8(ascii: "}"), members.isEmpty || separated == false {
                at += 1
                skipSpace()
                if at == bytes.endIndex { return }
                return nil
            }
            let start = at
            guard separated, bytes[at] == UInt8(ascii: "\""), skipText() else { return nil }
            let name = bytes[start + 1..<at - 1]
            skipSpace()
            guard at < bytes.endIndex, bytes[at] == UInt8(ascii: ":") else { return nil }
            at += 1
            skipSpace()
            let value = at
            guard skipValue() else { return nil }
            var end = at
            while end > value, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[end - 1]) { end -= 1 }
            members.append(Member(name: name, value: bytes[value..<end], whole: start..<end))
            skipSpace()
            separated = at < bytes.endIndex && bytes[at] == UInt8(ascii: ",")
            if separated { at += 1 }
            skipSpace()
        }
    }

    package subscript(name: String) -> Member? {
        members.first { member in
            if !member.name.contains(UInt8(ascii: "\\")) { return member.name.elementsEqual(name.utf8) }
            return JSONEscapes.text(member.name)?.utf8.elementsEqual(name.utf8) ?? false
        }
    }

    /// The object without some of its members.
    package func without(_ gone: [Member]) -> ArraySlice<UInt8> {
        let others = members.filter { member in !gone.contains { $0.whole == member.whole } }.map { bytes[$0.whole] }
        return ArraySlice([UInt8(ascii: "{")] + others.joined(separator: [UInt8(ascii: ",")]) + [UInt8(ascii: "}")])
    }
}

extension TopLevel.Member {
    /// The value where it is a text.
    package var text: String? {
        guard value.count >= 2, value.first == UInt8(ascii: "\"") else { return nil }
        return JSONEscapes.text(value.dropFirst().dropLast())
    }

    /// The value where it is a number.
    package var number: DecimalText? { DecimalText(value) }

    package var isObject: Bool { value.first == UInt8(ascii: "{") }
}
