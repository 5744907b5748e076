internal import EventModel

/// What a command is known by: its id among the commands of one key. The same id for another key is another command.
struct KeyedID: Hashable, Sendable {
    var key: Bytes
    var id: String

    init(_ key: Bytes, _ id: String) { (self.key, self.id) = (key, id) }

    /// Bytes of key and id above which they are stored as their hash: no database takes a key of any length.
    private static let longest = 700

    /// Whether it is stored as its hash.
    var isLong: Bool { key.count + id.utf8.count > Self.longest }

    /// As text that every database takes. Two that differ have different texts, but for long ones, of which one in 2^64 pairs
    /// has the same.
    ///
    /// Texts begin with a mark that no ``EventModel/Bytes/storable`` has, so that ids stored by themselves, as checkpoints of
    /// earlier versions have them, are told apart from these.
    var storable: String {
        let key = key.storable
        let whole = "\(key.utf8.count):\(key)\(Bytes(id).storable)"
        if !isLong { return Self.mark + whole }
        return Self.longMark + String(FNV1a(whole).value, radix: 16) + "-" + String(whole.utf8.count)
    }

    init?(storable text: String) {
        guard text.hasPrefix(Self.mark) else { return nil }
        let whole = text.utf8.dropFirst(Self.mark.utf8.count)
        guard let colon = whole.firstIndex(of: UInt8(ascii: ":")), let count = Int(Substring(whole[..<colon])),
            let end = whole.index(whole.index(after: colon), offsetBy: count, limitedBy: whole.endIndex),
            let key = String(whole[whole.index(after: colon)..<end]), let id = String(whole[end...])
        else { return nil }
        self.init(Bytes(storable: key), Bytes(storable: id).text)
    }

    private static let mark = "\u{1}k"
    private static let longMark = "\u{1}h"

    /// Whether a stored text is an id by itself, of any key.
    static func isPlain(_ text: String) -> Bool { !text.hasPrefix(mark) && !text.hasPrefix(longMark) }

    /// Bounds between which all stored texts lie that are no plain ids. No plain id lies between them, nor is one of them.
    static let bounds = ("\u{1}g", "\u{1}z")
}
